"""The quality board: what labels that came later say of the decisions made, per learner.

A fold of the lessons like the learners themselves. A lesson is counted before anybody learns it,
and by what the decision said then, so no learner is ever asked about what it has been taught. A
correction takes the label that it corrects back out of the figures.
"""

import math
from typing import NamedTuple

from models.learners.digest import digest_content
from models.mood import mood_of
from models.quality.bins import bin_of
from models.quality.cells import ClassCell, DetectionCell
from models.quality.drift import DriftWatch
from models.quality.segments import maturity, ticket_segments, transaction_segments
from models.quality.tallies import ALL, Classes, Detector, named
from models.quality.window import Window
from models.word_lists import read_tone, read_urgency
from schemas.outputs import Lesson, Previous

TEXT_LEARNERS = ("category", "urgency", "mood")
DETECTORS = ("risk", "anomaly")
LEARNERS = (*TEXT_LEARNERS, *DETECTORS)

_LEAST = 1e-6
"""Probabilities count as at least this: one confident mistake must not outweigh everything."""
_LEAST_PROPENSITY = 1e-3
_MIDDLE = bin_of(0.5)
"""Of the baseline that scores all alike."""
_FULL_LOG_AMOUNT = math.log1p(1e6)
_FULL_LOG_TEXT = math.log1p(20_000)


class Known(NamedTuple):
    """A label, when it became known, and the chance with which it is there."""

    label: str | bool
    known_ms: int
    propensity: float

    @classmethod
    def of(cls, previous: Previous) -> "Known":
        """Give the label that a lesson corrects."""
        return cls(previous["label"], previous["known_ms"], previous["propensity"])


class QualityBoard:
    """Scorecards, drift signals and verdicts of all learners; bounded memory.

    Attributes:
        verdict_changes: How often a learner lost or regained trust.
    """

    def __init__(self) -> None:
        self.window = Window()
        self.classes = {name: Classes() for name in TEXT_LEARNERS}
        self.detectors = {"risk": Detector(0.02), "anomaly": Detector(0.0)}
        self.drift = DriftWatch()
        self.verdict_changes = 0
        self.decided: dict[str, dict[str, float]] = {"transaction": {}, "ticket": {}}
        """Decisions by segment, estimated from the sampled ones."""
        self.labelled: dict[str, dict[str, float]] = {}
        """By task and segment or maturity: decisions whose label is known, by their own time."""
        self._frauds = 0.0
        self._judged = 0.0

    def trusts(self, learner: str) -> bool:
        """Tell whether decisions may rest on a learner; so it is until it was seen to be worse."""
        classes = self.classes.get(learner)
        if classes is not None:
            return classes.verdict.trusted
        detector = self.detectors.get(learner)
        return detector is None or detector.trusted

    def lead(self, learner: str) -> tuple[float | None, int]:
        """Give what the verdict rests on: the lead over the baseline, and on how many labels.

        It is in accuracy or average precision; ``None`` without a label (or fraud).
        """
        if learner in self.classes:
            paired = self.classes[learner].verdict
            return (paired.estimate()[0] if paired.count else None), paired.count
        ranked = self.detectors[learner].ranked
        return (ranked.estimate()[0] if ranked.count else None), ranked.count

    def learn(self, lesson: Lesson) -> None:
        """Take in a lesson; call it before the learners learn it."""
        task, label = lesson["task"], lesson["label"]
        factor = self.window.advance(lesson["known_ms"])
        if factor != 1.0:
            self._scale(factor)
        if label is None:
            self._sample(lesson)
            return
        known = Known(label, lesson["known_ms"], lesson["propensity"])
        earlier = lesson.get("previous")
        if task == "risk" and isinstance(label, bool):
            if earlier is not None:
                self._judge(lesson, Known.of(earlier), -1.0)
            self._judge(lesson, known)
        elif task in self.classes and isinstance(label, str):
            if earlier is not None:
                self._classify(lesson, Known.of(earlier), -1.0)
            self._classify(lesson, known)

    def decisions_per_day(self, kind: str) -> float | None:
        """Give how many a day there are of a ``ticket`` or ``transaction``, from the sampled."""
        days = self.window.days()
        decided = self.decided[kind].get(ALL)
        if decided is None or days <= 0.0:
            return None
        return self.window.worth(decided) / days

    def base_rate(self, unit: float) -> float:
        """Give the share of frauds among all judged transactions so far."""
        return (self._frauds + 0.5 * unit) / (self._judged + unit)

    def digest(self) -> str:
        """Return the digest of everything."""
        return digest_content(
            "QualityBoard",
            self.window.content(),
            {name: each.content() for name, each in self.classes.items()},
            {name: each.content() for name, each in self.detectors.items()},
            self.drift.content(),
            [self.verdict_changes, self._frauds, self._judged],
            [self.decided, self.labelled],
        )

    # -- one lesson -----------------------------------------------------------------------------

    def _sample(self, lesson: Lesson) -> None:
        """Count a sampled decision for all those that it stands for, and watch the inputs."""
        occurred_ms, known_ms = lesson["occurred_ms"], lesson["known_ms"]
        features, scores = lesson["features"], lesson["scores"]
        is_ticket = lesson["text"] is not None
        if is_ticket:
            segments = ticket_segments(features, lesson.get("answered", True), False)
        else:
            segments = transaction_segments(features)
        weight = self.window.weight(occurred_ms) / max(lesson["propensity"], _LEAST_PROPENSITY)
        decided = self.decided["ticket" if is_ticket else "transaction"]
        for name in (ALL, *segments):
            decided[name] = decided.get(name, 0.0) + weight
        watch = self.drift.observe
        if is_ticket:
            length = math.log1p(max(features.get("text_chars", 0.0), 0.0)) / _FULL_LOG_TEXT
            watch("category", "text_length", min(length, 1.0), known_ms)
            watch("category", "chinese", 1.0 if features.get("chinese") else 0.0, known_ms)
            if scores:
                watch("category", "confidence", _share(max(scores.values())), known_ms)
            return
        amount = math.log1p(max(features.get("amount", 0.0), 0.0)) / _FULL_LOG_AMOUNT
        watch("risk", "amount", min(amount, 1.0), known_ms)
        watch("risk", "card_absent", 1.0 if features.get("card_absent") else 0.0, known_ms)
        if "risk" in scores:
            watch("risk", "score", _share(scores["risk"]), known_ms)

    def _judge(self, lesson: Lesson, known: Known, sign: float = 1.0) -> None:
        """Count a transaction that is known to be fraud or not; or take that back."""
        is_fraud, known_ms, scores = bool(known.label), known.known_ms, lesson["scores"]
        share = max(known.propensity, _LEAST_PROPENSITY)
        unit = sign * self.window.weight(known_ms)
        segments = transaction_segments(lesson["features"])
        age = maturity(lesson["occurred_ms"], known_ms)
        self._count_label(lesson, (ALL, age, *segments), sign / share)
        base_loss = _loss(self.base_rate(abs(unit)), is_fraud)
        for name in DETECTORS:
            if name not in scores:
                continue
            detector, score = self.detectors[name], _share(scores[name])
            before, at = detector.trusted, bin_of(score)
            if name == "risk":
                scorecard = _share(scores.get("scorecard", 0.5))
                blend = _share(scores.get("blend", score))
                base_at, blend_at = bin_of(scorecard), bin_of(blend)
                loss = _loss(score, is_fraud)
                cells = named(detector.cells, (ALL, age, *segments), DetectionCell)
            else:
                base_at, blend_at, loss = _MIDDLE, at, 0.0
                cells = named(detector.cells, (ALL, age), DetectionCell)
            for cell in cells:
                cell.add(unit, unit / share, is_fraud, score, at, base_at, loss, base_loss)
            if sign < 0.0:
                continue  # the verdicts forget soon enough
            if name == "risk":
                gain = _loss(scorecard, is_fraud) - _loss(blend, is_fraud)
                detector.paired.update(gain, 1.0 / share)
            detector.ranked.update(is_fraud, blend_at, base_at, 1.0 / share)
            self.verdict_changes += detector.trusted != before
            if is_fraud:
                self.drift.observe(name, "loss_of_frauds", 1.0 - score, known_ms, slow=True)
        self._judged += unit / share
        if is_fraud:
            self._frauds += unit / share

    def _classify(self, lesson: Lesson, known: Known, sign: float = 1.0) -> None:
        """Count a ticket whose class is known; or take that back."""
        label, known_ms, scores = str(known.label), known.known_ms, lesson["scores"]
        share = max(known.propensity, _LEAST_PROPENSITY)
        unit = sign * self.window.weight(known_ms)
        answered = lesson.get("answered", True)
        segments = ticket_segments(lesson["features"], answered, lesson.get("asked", False))
        age = maturity(lesson["occurred_ms"], known_ms)
        task = lesson["task"]
        classes = self.classes[task]
        self._count_label(lesson, (ALL, age, *segments), sign / share)
        classes.offered += unit / share
        if scores:
            highest, guess = min((-value, name) for name, value in scores.items())
            confidence = _share(-highest)
            probability = _probability(scores, label, len(classes.shares))
            baseline = _by_rules(task, lesson["text"]) or classes.commonest
            right, base_right = guess == label, baseline == label
            for cell in named(classes.cells, (ALL, age, *segments), ClassCell):
                cell.add(
                    unit,
                    unit / share,
                    right,
                    answered,
                    confidence,
                    -math.log(max(probability, _LEAST)),
                    base_right,
                    -math.log(classes.prior(label, abs(unit))),
                )
            if sign < 0.0:
                return
            before = classes.verdict.trusted
            classes.verdict.update(float(right) - float(base_right), 1.0 / share)
            self.verdict_changes += classes.verdict.trusted != before
            self.drift.observe(task, "loss", 1.0 - probability, known_ms, slow=True)
        if sign > 0.0:
            classes.know(label, unit)

    def _count_label(self, lesson: Lesson, names: tuple[str, ...], stands_for: float) -> None:
        labelled = self.labelled.setdefault(lesson["task"], {})
        weight = self.window.weight(lesson["occurred_ms"]) * stands_for
        for name in names:
            labelled[name] = labelled.get(name, 0.0) + weight

    def _scale(self, factor: float) -> None:
        for classes in self.classes.values():
            classes.scale(factor)
        for detector in self.detectors.values():
            for cell in detector.cells.values():
                cell.scale(factor)
        for counts in (*self.decided.values(), *self.labelled.values()):
            for name in counts:
                counts[name] *= factor
        self._frauds *= factor
        self._judged *= factor


def _by_rules(task: str, text: str | None) -> str | None:
    """Give what the word rules say, where they would decide without the learner."""
    if text is None or task == "category":
        return None
    return read_urgency(text)[0] if task == "urgency" else mood_of(read_tone(text))


def _share(value: float) -> float:
    """Give a probability as such, whatever a lesson claims."""
    return min(max(value, 0.0), 1.0)


def _loss(probability: float, happened: bool) -> float:
    """Give the logarithmic loss, at most 13.8."""
    said = probability if happened else 1.0 - probability
    return -math.log(max(said, _LEAST))


def _probability(scores: dict[str, float], label: str, class_count: int) -> float:
    """Give the probability of a class; those not named share what the named ones leave."""
    if label in scores:
        return _share(scores[label])
    rest = max(1.0 - math.fsum(scores.values()), 0.0)
    return rest / max(class_count - len(scores), 1)
