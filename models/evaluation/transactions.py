"""Transactions in order of time: score, then learn when the label is known; as the desk does."""

import copy
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from models.evaluation.baselines import RiskBaseline
from models.evaluation.cards import KnownCards
from models.evaluation.dates import DAY_S, TRAIN_DAYS, DaysTested, DriftDays, day_at
from models.evaluation.drift import shift
from models.evaluation.examples import PaymentExample
from models.evaluation.feature_table import FeatureTable
from models.evaluation.payments import Judged, PaymentDesk, payment_of
from models.evaluation.scored import Scored
from models.evaluation.timing import Clock, Timings
from models.learners.quantile_logistic import sigmoid
from models.learning import Learners
from models.policy import Policy
from models.scoring import score_transaction
from models.teaching import Subject
from schemas.outputs import LabelSource, Lesson

DAY_MS = DAY_S * 1000
HOUR_MS = 3_600_000
OURS = "riverdesk"
FROZEN = "frozen"
RIVER = "river_logistic"
SCORECARD = "scorecard"


@dataclass(frozen=True, slots=True)
class TransactionProtocol:
    """How labels arrive and what is judged.

    Args:
        test: The days that are tested.
        label_delay_days: A fraud is known so many days after it happened; that a transaction was
            none, an hour later.
        drift: When amounts shift; ``None`` leaves them alone.
        baselines: Whether others are measured beside.
        ceiling: Whether the features of the week of training and of the test part are kept.
    """

    test: DaysTested
    label_delay_days: int = 7
    drift: DriftDays | None = None
    baselines: bool = True
    ceiling: bool = False


@dataclass(slots=True)
class TransactionRun:
    """What happened with one seed.

    Args:
        weeks: All scores of each week, gone once the week is judged; see `models.evaluation.weeks`.
        test: The rows of the test part.
        train_table: Features of the week of training, if a ceiling is wanted.
        test_table: Those of the test part.
        drifted: The rows of the weeks that are judged after a drift.
        deciding: Features, score and the customer's fold, per transaction.
        predicting: The score alone.
        learning: Per lesson.
        river_predicting: Of River's logistic regression.
        river_learning: Of the same.
        contestants: Who scored, in the order of the scores.
    """

    contestants: list[str]
    deciding: Timings
    predicting: Timings
    learning: Timings
    river_predicting: Timings
    river_learning: Timings
    weeks: list[dict[str, object]] = field(default_factory=list)
    test: Scored = field(default_factory=Scored)
    drifted: Scored = field(default_factory=Scored)
    train_table: FeatureTable = field(default_factory=FeatureTable)
    test_table: FeatureTable = field(default_factory=FeatureTable)
    rows: int = 0
    frauds: int = 0


class _Due(NamedTuple):
    """A label on its way."""

    known_ms: int
    number: int
    is_fraud: bool
    subject: Subject


class Stream:
    """One pass over the transactions.

    Args:
        seed: Of the learners, and of the choice of what is learned without a label.
        policy: Weights and shares; its delay of implicit negatives is set to the protocol's.
        protocol: Days and delays.
        clock: For the timings.

    Attributes:
        desk: Decides and learns.
        frozen: The learners whose risk learner learns no more, from the first day of a drift on.
        protocol: As given.
        run: What has happened so far.
    """

    def __init__(
        self, seed: int, policy: Policy, protocol: TransactionProtocol, clock: Clock
    ) -> None:
        self._seed = seed
        self._clock = clock
        self._delay_ms = protocol.label_delay_days * DAY_MS
        lessons = replace(policy.lessons, implicit_after_ms=self._delay_ms + HOUR_MS)
        self._policy = replace(policy, lessons=lessons)
        self.protocol = protocol
        self.desk = PaymentDesk(Learners(seed), self._policy)
        self.frozen: Learners | None = None
        self._river = RiskBaseline() if protocol.baselines else None
        self._due: list[_Due] = []
        names = [OURS]
        if protocol.baselines:
            names += [SCORECARD, RIVER]
        if protocol.drift is not None:
            names.append(FROZEN)
        self.run = TransactionRun(
            names, Timings(clock), Timings(clock), Timings(clock), Timings(clock), Timings(clock)
        )
        self._week = Scored()
        self._cards = KnownCards(protocol.test)

    def take(self, rows: Iterable[PaymentExample], told: Callable[[int, int], None]) -> None:
        """Score and learn all rows, which are in order of time.

        Args:
            rows: The stream.
            told: Is told how many rows there were, and the time of the latest in seconds.
        """
        week = -1
        for number, row in enumerate(rows):
            if week not in (-1, row.ts // (7 * DAY_S)):
                self._end_week()
            week = row.ts // (7 * DAY_S)
            self._take(row, number)
            if number % 2_000 == 0:
                told(number, row.ts)
        self._end_week()

    def _take(self, row: PaymentExample, number: int) -> None:
        run, protocol = self.run, self.protocol
        if protocol.drift is not None:
            row = shift(row, protocol.drift)
            if self.frozen is None and day_at(row.ts) >= protocol.drift.cheap_from:
                self.frozen = self._freeze()
        payment = payment_of(row, number, self._seed, self._policy)
        self._learn_due(payment.at_ms)
        desk = self.desk
        begin = self._clock()
        extracted = desk.extract(payment)
        extracted_at = self._clock()
        judged = desk.judge(payment, extracted)
        judged_at = self._clock()
        desk.fold(judged)
        run.deciding.add(self._clock() - begin)
        run.predicting.add(judged_at - extracted_at)
        scores = [judged.score.score, *self._others(judged)]
        self._note(row, scores)
        if protocol.ceiling:
            self._tabulate(row, judged)
        self._remember(row, judged)

    def _others(self, judged: Judged) -> list[float]:
        """Score with the baselines and, once there is one, with the frozen learner."""
        scores: list[float] = []
        if self._river is not None:
            card = self._policy.alerts.scorecard.explain_one(judged.features)
            scores.append(sigmoid(sum(card.values())))
            with self.run.river_predicting.measured():
                scores.append(self._river.score_one(judged.features))
        if self.protocol.drift is not None:
            frozen = judged.score
            if self.frozen is not None:
                frozen = score_transaction(judged.features, self.frozen, self._policy.alerts)
            scores.append(frozen.score)
        return scores

    def _freeze(self) -> Learners:
        """Give the learners with a risk learner that learns no more; the rest is shared."""
        frozen = copy.copy(self.desk.learners)
        frozen.risk = copy.deepcopy(frozen.risk)
        return frozen

    def _note(self, row: PaymentExample, scores: list[float]) -> None:
        run, test, drift = self.run, self.protocol.test, self.protocol.drift
        run.rows += 1
        run.frauds += row.is_fraud
        day = day_at(row.ts)
        self._week.add(day, row.customer_id, row.is_fraud, scores, False)
        if test.from_day <= day <= test.until_day:
            known = self._cards.is_known(row.customer_id, day)
            run.test.add(day, row.customer_id, row.is_fraud, scores, known)
        if row.is_fraud:
            self._cards.see_fraud(row.customer_id, day)
        if drift is not None and drift.week_2[0] <= day <= drift.week_3[1]:
            run.drifted.add(day, row.customer_id, row.is_fraud, scores, False)

    def _tabulate(self, row: PaymentExample, judged: Judged) -> None:
        test, day = self.protocol.test, day_at(row.ts)
        if test.train_from_day <= day < test.train_from_day + TRAIN_DAYS:
            self.run.train_table.add(judged.features, row.is_fraud)
        elif test.from_day <= day <= test.until_day:
            self.run.test_table.add(judged.features, row.is_fraud)

    def _remember(self, row: PaymentExample, judged: Judged) -> None:
        """Keep what will be learned; the unsupervised learner's sample is learned at once."""
        desk = self.desk
        rank = desk.rank(judged)
        sampled, implicit = desk.is_sampled(judged), desk.is_implicit(judged)
        if not (sampled or implicit or row.is_fraud):
            return
        subject = desk.subject(judged, rank)
        if sampled:
            self._learn(desk.sample(subject))
        known_ms = judged.payment.at_ms + self._delay_ms
        if row.is_fraud:
            heapq.heappush(self._due, _Due(known_ms, judged.payment.number, True, subject))
        elif implicit:
            due = _Due(known_ms + HOUR_MS, judged.payment.number, False, subject)
            heapq.heappush(self._due, due)

    def _learn_due(self, now_ms: int) -> None:
        """Learn the labels that are known by now."""
        while self._due and self._due[0].known_ms <= now_ms:
            due = heapq.heappop(self._due)
            source: LabelSource = "chargeback" if due.is_fraud else "implicit"
            self._learn(self.desk.label(due.subject, due.is_fraud, source, due.known_ms))

    def _learn(self, lesson: Lesson) -> None:
        with self.run.learning.measured():
            self.desk.learners.learn(lesson)
        label = lesson["label"]
        if self._river is not None and isinstance(label, bool):
            with self.run.river_learning.measured():
                self._river.learn_one(lesson["features"], label)

    def _end_week(self) -> None:
        if len(self._week):
            self.run.weeks.append(self._week.by_name(self.run.contestants))
        self._week = Scored()
