"""The learners of the desk, together: one fold of the lessons."""

from functools import lru_cache

from models.features.unusual import unusual_view
from models.fingerprint import digest_code
from models.knowledge import Knowledge
from models.learners.anomaly import AnomalyLearner
from models.learners.digest import digest_content
from models.learners.risk import RiskLearner
from models.learners.softmax import HashedSoftmaxClassifier
from models.learners.text import HashedText, hash_text
from models.quality.board import QualityBoard
from models.sampling import is_chosen
from models.standins import Standins
from models.usual import Usual
from models.version import CORE_VERSION
from schemas.codec import chain, decode_json, digest_bytes
from schemas.errors import MalformedError
from schemas.outputs import LESSON, Lesson

NEGATIVE_SHARE = 0.1
"""The risk learner learns at most this share of the implicit negatives and of stand-ins."""

GENESIS = "0" * 32
"""The chain digest before the first lesson."""


class Learners:
    """Everything that is learned, as a fold of the lessons topic.

    Attributes:
        revision: offset reached in the lessons; all lessons below it were folded.
        digest: chain digest over the raw lessons folded.
        lesson_digest: digest of the last of them, by which a log is recognised; "" before it.
        skipped: malformed lessons, chained but not learned.

    Args:
        seed: Of all chance in them; every desk has 0, an evaluation tries others as well.
    """

    def __init__(self, seed: int = 0) -> None:
        seed *= 10
        self.revision = 0
        self.digest = GENESIS
        self.lesson_digest = ""
        self.skipped = 0
        self.category = HashedSoftmaxClassifier(seed=seed + 1)
        self.urgency = HashedSoftmaxClassifier(seed=seed + 2)
        self.mood = HashedSoftmaxClassifier(seed=seed + 5)
        self.risk = RiskLearner(seed=seed + 3)
        self.anomaly = AnomalyLearner(
            tree_count=5, window_size=200, seed=seed + 4
        )  # ready after 1,000 transactions
        self.standins = Standins()
        self.knowledge = Knowledge()
        self.usual = Usual()
        self.quality = QualityBoard()

    def fold(self, raw: bytes, offset: int) -> None:
        """Fold the lesson at ``offset``; a malformed one is skipped, but still chained.

        One below the revision was folded before: delivered again, it changes nothing.
        """
        if offset < self.revision:
            return
        try:
            lesson = LESSON.validate_python(decode_json(raw), strict=True)
            if not 0.0 < lesson["propensity"] <= 1.0:
                raise MalformedError(f"propensity {lesson['propensity']} is not in (0, 1]")
        except (MalformedError, ValueError):
            self.skipped += 1
        else:
            self.learn(lesson)
        self.digest = chain(self.digest, raw)
        self.lesson_digest = digest_bytes(raw)
        self.revision = offset + 1

    def learn(self, lesson: Lesson) -> None:
        """Learn one lesson; a label of another type than its task takes is ignored."""
        task, label = lesson["task"], lesson["label"]
        self.quality.learn(lesson)  # before anybody has learned it
        if task == "anomaly":
            self.anomaly.learn_one(unusual_view(lesson["features"]))
            self.usual.learn(lesson["tenant"], lesson["features"], lesson["occurred_ms"])
            if _is_kept(lesson):
                self.standins.add(lesson["features"], lesson["occurred_ms"])
                self._learn_standins()
        elif task == "risk" and isinstance(label, bool):
            self._learn_risk(lesson, label)
            if lesson["terminal_id"] is not None:
                self.knowledge.learn(
                    lesson["tenant"],
                    lesson["terminal_id"],
                    lesson["subject_id"],
                    label,
                    lesson["occurred_ms"],
                    lesson["known_ms"],
                    lesson["propensity"],
                    lesson["features"].get("amount_ratio"),
                )
        elif isinstance(label, str) and lesson["text"]:
            heads = {"category": self.category, "urgency": self.urgency, "mood": self.mood}
            if task in heads:
                heads[task].learn_one(
                    _hashed(lesson["text"]),
                    label,
                    _weight(lesson),
                    lesson_id=lesson["id"],
                    corrects=lesson["corrects"],
                )

    def _learn_risk(self, lesson: Lesson, label: bool) -> None:
        """Teach the risk learner; implicit negatives are thinned to one share.

        Some are sampled more often than others (see `models.transaction_decisions`): learned as
        they come, they would make what they have in common look safe.
        """
        if lesson["label_source"] == "implicit":
            self.standins.honest_known()
            if _is_kept(lesson):
                share = min(lesson["propensity"], NEGATIVE_SHARE)
                self.risk.learn_one(lesson["features"], label, share)
            return
        if label:
            self.standins.fraud_known(lesson["occurred_ms"])
            self._learn_standins()
        self.risk.learn_one(lesson["features"], label, 1.0)

    def _learn_standins(self) -> None:
        for features in self.standins.ready():
            self.risk.learn_one(features, False, NEGATIVE_SHARE)

    def content_digest(self) -> str:
        """Give the digest of everything learned: equal lessons, equal digest."""
        return digest_content(
            self.category.digest(),
            self.urgency.digest(),
            self.mood.digest(),
            self.risk.digest(),
            self.anomaly.digest(),
            self.standins.digest(),
            self.knowledge.digest(),
            self.usual.digest(),
            self.quality.digest(),
        )

    @staticmethod
    def fingerprint() -> str:
        """Name code, configuration, libraries and platform (:mod:`models.fingerprint`).

        A checkpoint of another fingerprint must be refused: the lessons are folded anew.
        """
        return _fingerprint()


@lru_cache(maxsize=1)
def _hashed(text: str) -> HashedText:
    """Hash a text once for all its labels: their lessons follow each other."""
    return hash_text(text)


def _weight(lesson: Lesson) -> float:
    """Give how many tickets a label stands for: more than one if it was asked for by chance."""
    return 1.0 / lesson["propensity"] if lesson.get("asked") else 1.0


def _is_kept(lesson: Lesson) -> bool:
    """Tell whether a sampled lesson is among the share that the risk learner learns."""
    share = lesson["propensity"]
    return share <= NEGATIVE_SHARE or is_chosen(
        lesson["subject_id"], "thin", NEGATIVE_SHARE / share
    )


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    return digest_content(CORE_VERSION, digest_code(), Learners().content_digest())
