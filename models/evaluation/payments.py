"""The desk's way with a transaction and its label, on plain values instead of a journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from models.customer import fold_transaction
from models.effects import Effects
from models.evaluation.examples import PaymentExample
from models.features.transaction import extract_transaction
from models.knowledge import TerminalFacts
from models.learning import Learners
from models.ledger import fold_score, percentile
from models.open_tickets import fold_frauds
from models.policy import Policy
from models.sampling import is_chosen
from models.scoring import Score, score_transaction
from models.state import Stamp, Value
from models.teaching import Subject, remember
from models.transaction_decisions import implicit_share
from schemas.codec import dump
from schemas.journal import Source
from schemas.outputs import LabelSource, Lesson
from schemas.transactions import Transaction

TENANT = "default"


@dataclass(frozen=True, slots=True)
class Payment:
    """A transaction as an event, with what the protocol needs of its row."""

    event: Transaction
    body: Mapping[str, Any]
    at_ms: int
    amount: float
    number: int


class Extracted(NamedTuple):
    """What a payment looks like before it is scored."""

    features: dict[str, float]
    terminal: TerminalFacts


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found out about a payment."""

    payment: Payment
    features: dict[str, float]
    terminal: TerminalFacts
    score: Score


class PaymentDesk:
    """Decides about payments and folds their customers, as the desk does.

    Everything that does not bear on scores is left out: alerts, tickets, repeated ids.

    Args:
        learners: Fresh ones.
        policy: Weights and shares.
    """

    def __init__(self, learners: Learners, policy: Policy) -> None:
        self.learners = learners
        self.policy = policy
        self._customers: dict[str, Value] = {}
        self._ledger: Value | None = None

    def extract(self, payment: Payment) -> Extracted:
        """Give the features of a payment and what was known of its terminal."""
        event, at_ms = payment.event, payment.at_ms
        terminal = self.learners.knowledge.facts(TENANT, event.terminal_id, at_ms)
        customer = self._customers.get(event.customer_id)
        usual = self.learners.usual.facts(TENANT, at_ms)
        features = extract_transaction(event, at_ms, payment.amount, customer, terminal, usual)
        return Extracted(features, terminal)

    def judge(self, payment: Payment, extracted: Extracted) -> Judged:
        """Score the features; changes nothing."""
        score = score_transaction(extracted.features, self.learners, self.policy.alerts)
        return Judged(payment, extracted.features, extracted.terminal, score)

    def fold(self, judged: Judged) -> None:
        """Fold the customer: the next payment sees this one."""
        payment, event = judged.payment, judged.payment.event
        decision = {
            "amount": payment.amount,
            "suspicious": False,
            "alert_id": None,
            "repeated": False,
            "typology": None,
        }
        before = self._customers.get(event.customer_id)
        self._customers[event.customer_id] = fold_transaction(
            before, payment.body, payment.at_ms, decision, _source(payment)
        )

    def rank(self, judged: Judged) -> float:
        """Give the share of recent scores below this one, and count it among them."""
        score = judged.score.score
        share, _ = percentile(self._ledger, score)
        self._ledger = fold_score(self._ledger, score, False, judged.payment.at_ms)
        return share

    def subject(self, judged: Judged, rank: float) -> Subject:
        """Give what is remembered of a payment of that rank until its label meets it."""
        payment, score = judged.payment, judged.score
        decision = {
            "transaction_id": payment.event.transaction_id,
            "amount": payment.amount,
            "suspicious": False,
            "score": score.score,
            "score_kind": score.kind,
            "alert_id": None,
            "propensity": self.share(judged),
            "risk": score.risk,
            "anomaly": score.anomaly,
            "scorecard": score.scorecard,
            "blend": score.blend,
            "percentile": rank,
        }
        memory = remember(
            payment.body,
            decision,
            judged.features,
            payment.at_ms,
            payment.at_ms,
            f"0/{payment.number}",
        )
        return Subject("transaction", TENANT, payment.event.transaction_id, memory)

    def share(self, judged: Judged) -> float:
        """Give the chance with which a payment becomes an implicit negative."""
        return implicit_share(judged.terminal, judged.payment.at_ms, self.policy)

    def is_implicit(self, judged: Judged) -> bool:
        """Tell whether it becomes one, if no fraud is reported in time."""
        return is_chosen(judged.payment.event.transaction_id, "implicit", self.share(judged))

    def is_sampled(self, judged: Judged) -> bool:
        """Tell whether the unsupervised learner gets it at once."""
        share = self.policy.lessons.anomaly_share
        return is_chosen(judged.payment.event.transaction_id, "anomaly", share)

    def sample(self, subject: Subject) -> Lesson:
        """Give the lesson without a label that a payment becomes at once."""
        effects = _effects(subject)
        subject.sample("anomaly", self.policy.lessons.anomaly_share, effects)
        return _lesson(effects)

    def label(self, subject: Subject, is_fraud: bool, source: LabelSource, known_ms: int) -> Lesson:
        """Give the lesson that a label becomes; a fraud is noted with its customer."""
        propensity = subject.memory["propensity"] if source == "implicit" else 1.0
        effects = _effects(subject)
        labelled = subject.teach("risk", is_fraud, source, known_ms, propensity, effects)
        customer_id = subject.memory["customer_id"]
        customer = fold_frauds(self._customers.get(customer_id), [labelled])
        if customer is not None:
            self._customers[customer_id] = customer
        return _lesson(effects)


def payment_of(row: PaymentExample, number: int, seed: int, policy: Policy) -> Payment:
    """Make the event of a row.

    Args:
        row: The row.
        number: Its place in the stream.
        seed: Which payments are learned without a label hangs on their ids, so on this too.
        policy: Knows the currencies.
    """
    at_ms = row.ts * 1000
    name = f"s{seed}-{row.id}"
    event = Transaction(
        event_id=name,
        customer_id=row.customer_id,
        occurred_at=datetime.fromtimestamp(row.ts, UTC),
        transaction_id=name,
        amount_minor=round(row.amount * 100),
        currency="EUR",
        terminal_id=row.terminal_id,
    )
    amount = policy.amount(event.amount_minor, event.currency)
    return Payment(event, dump(event), at_ms, amount, number)


def _source(payment: Payment) -> Source:
    return {
        "topic": "payments.transactions.v1",
        "partition": 0,
        "offset": payment.number,
        "published_ms": payment.at_ms,
    }


def _effects(subject: Subject) -> Effects:
    partition, number = subject.memory["decision_id"].split("/")
    return Effects(Stamp(int(partition), 1, int(number), subject.memory["occurred_ms"]))


def _lesson(effects: Effects) -> Lesson:
    return cast(Lesson, effects.items[0]["value"])
