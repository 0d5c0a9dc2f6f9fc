"""What the core decided: the part ``decision`` of journal records, by kind.

Every decision carries ``tickets`` (the open tickets it assessed anew) and ``labels`` (what it
learned about earlier decisions), so that a projection reads both the same way in every kind.
Times ending in ``_ms`` are milliseconds since the epoch.
"""

from typing import Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from schemas.feedback import Mood, Priority, Urgency, Verdict
from schemas.outputs import Choice, Evidence, LabelSource, Reason, Severity, Task

Typology = Literal[
    "card_testing", "account_takeover", "compromised_terminal", "stolen_card", "unusual_amount"
]
ReadingSource = Literal["learner", "rules", "feedback", "carried"]
"""Who said urgency or mood: the learner, the word rules, a person, or an earlier event."""

LabelOutcome = Literal["learned", "corrected", "repeated", "outdated", "sampled"]
"""learned: first label; corrected: it changed; repeated: the same again; outdated: an older
label came after a newer one; sampled: an unlabelled example. Only learned, corrected and sampled
give a lesson."""

Suppression = Literal["repeat", "budget", "reserved"]
"""Why an alert was held back: the same customer and typology just alerted; the day's budget is
used up; what is left of it is reserved for high severities."""


class Assessment(TypedDict):
    """One open ticket, assessed anew."""

    tenant: str
    ticket_id: str
    customer_id: str
    priority: Priority
    previous: Priority | None
    """``None`` at the first assessment."""
    changed: bool
    """Exactly then a PriorityChange is among the effects."""
    score: float
    """0 to 100, two decimals; the reasons' contributions add up to it."""
    impact: int
    """ITIL impact, 1 (highest) to 4."""
    urgency: Urgency
    """The urgency that counted in the matrix, raised by one step once the SLA is broken."""
    base_urgency: Urgency
    """The ticket's own urgency."""
    reasons: list[Reason]
    cause: str
    overridden: bool
    """A person's override decided the priority."""
    override_until_ms: int | None
    sla_ms: int
    """Working time that the agreement allows at this impact and urgency."""
    sla_used_ms: int
    """Working time used so far (the clock stands while waiting or on hold)."""
    next_ms: int | None
    """When it has to be assessed again, if nothing happens before."""
    assessed_ms: int
    """The event time of the assessment."""


class Labelled(TypedDict):
    """A label that met (or missed) the decision it is about."""

    task: Task
    tenant: str
    subject_id: str
    customer_id: str
    decision_id: str
    label: str | bool | None
    previous: str | bool | None
    source: LabelSource
    outcome: LabelOutcome
    lesson_id: str | None
    known_ms: int
    occurred_ms: int
    """When the subject happened."""


class Linked(TypedDict):
    """A transaction that a ticket names, as far as it is known."""

    transaction_id: str
    known: bool
    amount: float
    """In the reference currency; 0 until known."""
    suspicious: bool


class TicketDecision(TypedDict):
    """Kind ``ticket``. Readings are ``None`` or empty where the event has no text to read."""

    type: str
    ticket_id: str
    known: bool
    """False: the event is about a ticket that was never opened here; nothing else was done."""
    status: str
    """The ticket's status after the event; ``closed`` ends it; ``unknown`` if not known."""
    channel: str | None
    product: str | None
    language: str | None
    category: str | None
    category_confidence: float | None
    category_threshold: float | None
    """The confidence from which on the category is right as often as the policy wants; ``None``
    where none is high enough, because the learner is worse than its baseline of late."""
    abstained: bool
    """The confidence is below it: the category is a guess that the desk does not answer for."""
    categories: list[Choice]
    """The three most probable, best first; empty before the first label."""
    category_reasons: list[Reason]
    """Deciding words in log-odds, with rest and bias; they add up to the category's logit."""
    urgency: Urgency | None
    urgency_confidence: float | None
    urgency_source: ReadingSource | None
    urgency_reasons: list[Reason]
    urgencies: list[Choice]
    """What the learner finds probable, whoever decided; empty before it has labels enough."""
    mood: Mood | None
    mood_confidence: float | None
    mood_source: ReadingSource | None
    mood_reasons: list[Reason]
    moods: list[Choice]
    """As urgencies."""
    sentiment: float | None
    """-1 (bad) to 1 (good), as the mood's probabilities lead to expect; or by a small lexicon."""
    anger: float | None
    """0 to 1, likewise."""
    amount_at_stake: float
    """In the policy's reference currency: the ticket's own amount."""
    opened_ms: int | None
    linked: list[Linked]
    """The transactions that this event names."""
    tickets: list[Assessment]
    """This ticket; empty if it is not known or closed."""
    labels: list[Labelled]
    unparked: int
    """How many feedbacks had been waiting for this decision."""
    asked: bool
    """A question about it is among the effects."""
    ask_propensity: float | None
    """The chance of that; ``None`` where there is nothing to ask: no ticket was opened, its
    category is known already, or the policy asks nothing."""
    ask_share: float | None
    """The share of the tickets that the policy asks about, where there is a propensity."""


class TransactionDecision(TypedDict):
    """Kind ``transaction``."""

    transaction_id: str
    repeated: bool
    """The same transaction_id was decided before (a reversal, say)."""
    outcome: str
    score: float
    """0 to 1, near a probability of fraud: from scorecard and anomaly rank (kind ``anomaly``),
    then from risk, blended with these while risk is young (kind ``risk``); from the former alone
    also while the risk learner is worse than they are.
    """
    score_kind: Literal["risk", "anomaly"]
    risk: float | None
    """Probability of fraud by the learner alone; ``None`` until it has seen its first fraud."""
    anomaly: float
    """Rank of the unsupervised score, 0 to 1."""
    scorecard: float
    """What the score would be without the risk learner, 0 to 1."""
    blend: float
    """What the score is while the risk learner is trusted, 0 to 1."""
    percentile: float
    """Share of this partition's recent transactions that scored lower, 0 to 1."""
    amount: float
    """In the policy's reference currency."""
    suspicious: bool
    """Declined, or risky, or alerting: the customer's open tickets were assessed anew."""
    alert: bool
    alert_id: str | None
    """The effect's id, if an alert went out."""
    suppressed: Suppression | None
    """Why an alert that the rules wanted did not go out."""
    suppressed_by: str | None
    """The alert that it repeats."""
    severity: Severity | None
    typology: Typology | None
    """Both given when the rules wanted an alert, sent or not."""
    entity: str | None
    case_key: str | None
    dedup_key: str | None
    budget_left: int
    """Alerts left to this partition on the event's day, after this decision."""
    reasons: list[Reason]
    """They add up to the score's log-odds."""
    reason_space: Literal["log_odds"]
    evidence: list[Evidence]
    sampled: bool
    """Chosen to become an implicit negative, if no label comes."""
    propensity: float
    """The chance of that."""
    mature_ms: int | None
    tickets: list[Assessment]
    labels: list[Labelled]
    unparked: int


class FeedbackDecision(TypedDict):
    """Kind ``feedback``."""

    type: str
    subject_kind: Literal["ticket", "transaction", "alert"]
    subject_id: str
    """The ticket, the transaction, or the alert."""
    outcome: Literal["applied", "parked", "unknown", "ignored"]
    """applied; parked until its decision arrives; unknown: nothing (any more) to apply it to;
    ignored: a repeat, outdated, or about an ended ticket."""
    source: str
    known_ms: int
    category: str | None
    urgency: Urgency | None
    mood: Mood | None
    solution: str | None
    satisfaction: int | None
    is_fraud: bool | None
    verdict: Verdict | None
    typology: str | None
    """Of the alert (kind alert) or as reported (kind transaction)."""
    alert_id: str | None
    """The alert concerned: of the verdict, or of the labelled transaction."""
    alert_transaction_id: str | None
    alert_severity: Severity | None
    alert_occurred_ms: int | None
    """Three facts of the alert, so that precision by typology and day needs no join."""
    override: Priority | None
    override_until_ms: int | None
    predicted: str | None
    """For ticket feedback: the category that had been decided."""
    score: float | None
    """For transactions and alerts: the score that had been decided."""
    park_until_ms: int | None
    """When parked: until when it waits."""
    tickets: list[Assessment]
    labels: list[Labelled]


class Done(TypedDict):
    """An agenda entry that a tick has handled."""

    at_ms: int
    kind: Literal["mature", "reprioritise"]
    key: str


class QualityReported(TypedDict):
    """What the last report on the learners covered; kept in the partition's ledger."""

    revision: int
    """Of the learners."""
    at_ms: int
    """The tick's time."""
    verdict_changes: int
    """How often learners had lost or regained trust by then."""
    signal_count: int
    """Drift signals by then."""
    record_count: int
    """How many of the effects are the report."""


class TickDecision(TypedDict):
    """Kind ``tick``."""

    done: list[Done]
    full: bool
    """The limit was reached: there may be more at the same tick_ms."""
    matured: int
    """Transactions that became implicit negatives."""
    dropped: list[str]
    """Places in ``parked`` whose feedback waited too long."""
    tickets: list[Assessment]
    labels: list[Labelled]
    quality: QualityReported | None
    """Given if this tick reports on the learners; partition 0 does, when it is due."""


TICKET_DECISION: TypeAdapter[TicketDecision] = TypeAdapter(TicketDecision)
TRANSACTION_DECISION: TypeAdapter[TransactionDecision] = TypeAdapter(TransactionDecision)
FEEDBACK_DECISION: TypeAdapter[FeedbackDecision] = TypeAdapter(FeedbackDecision)
TICK_DECISION: TypeAdapter[TickDecision] = TypeAdapter(TickDecision)
