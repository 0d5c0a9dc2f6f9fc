"""What the desk gives out: priorities, alerts and lessons, each an effect of one journal record.

They are typed dictionaries: the desk makes them, so nothing has to be validated on the way out,
and the same shapes give the JSON Schemas. Times are RFC 3339 in UTC unless a name ends in ``_ms``.
"""

from typing import Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from schemas.feedback import Priority, Urgency

Severity = Literal["low", "medium", "high", "critical"]
Task = Literal["category", "urgency", "mood", "risk", "anomaly"]
"""What a lesson teaches; ``anomaly`` lessons carry no label."""

AskReason = Literal["uncertain", "exploration", "random"]
"""Why a ticket was asked about: its category is not sure; every ticket has some chance, however
sure; or the policy asks at random."""

LabelSource = Literal[
    "agent", "customer", "chargeback", "investigation", "system", "implicit", "sample"
]


class Choice(TypedDict):
    """One class and its probability."""

    label: str
    probability: float


class Reason(TypedDict):
    """One part of a score: the contributions of all reasons add up to it."""

    name: str
    contribution: float
    value: NotRequired[float | str | None]


class Evidence(TypedDict):
    """Where a fact that supports an output stands."""

    topic: str
    partition: int
    offset: int
    event_id: str


class PriorityChange(TypedDict):
    """A ticket has a new priority (topic ``support.priorities.v1``, key ticket_id)."""

    id: str
    """Effect id: partition/number/index in the journal."""
    tenant: str
    customer_id: str
    ticket_id: str
    priority: Priority
    previous: Priority | None
    score: float
    """0 to 100; the reasons' contributions add up to it."""
    impact: int
    """ITIL impact, 1 (highest) to 4."""
    urgency: Urgency
    category: str | None
    abstained: NotRequired[bool]
    """The category is a guess that the desk does not answer for."""
    reasons: list[Reason]
    cause: str
    """What changed it: an event type, ``tick``, ``override`` or ``override_expired``."""
    override_until: str | None
    occurred_at: str
    decided_at: str


class Question(TypedDict):
    """Somebody should say what a ticket is about (topic ``support.questions.v1``, key ticket_id).

    The answer is ordinary feedback on the ticket. Its text stays on ``support.tickets.v1``.
    """

    id: str
    """Effect id: partition/number/index in the journal."""
    tenant: str
    customer_id: str
    ticket_id: str
    task: Task
    """What is asked: the category."""
    categories: list[Choice]
    """The three most probable, best first; none before the first label."""
    propensity: float
    """The chance with which just this ticket was asked about, in (0, 1]."""
    reason: AskReason
    language: str | None
    occurred_at: str
    decided_at: str


class Alert(TypedDict):
    """Something for a risk analyst (topic ``risk.alerts.v1``, key is the entity)."""

    id: str
    """Effect id: partition/number/index in the journal; feedback refers to it as alert_id."""
    tenant: str
    customer_id: str
    entity: str
    """``customer:<id>``, ``card:<token>`` or ``terminal:<id>``."""
    transaction_id: str
    severity: Severity
    typology: str
    score: float
    """0 to 1."""
    score_kind: Literal["risk", "anomaly"]
    """``anomaly`` until the risk learner has seen its first fraud, and while it is not trusted."""
    percentile: float
    """Share of this partition's recent transactions that scored lower, 0 to 1."""
    amount_minor: int
    currency: str
    case_key: str
    """Alerts with one case key belong to one investigation."""
    dedup_key: str
    """A second alert with this key repeats the first."""
    reasons: list[Reason]
    evidence: list[Evidence]
    open_ticket_ids: list[str]
    occurred_at: str
    decided_at: str


class Previous(TypedDict):
    """The label that a lesson corrects."""

    label: str | bool
    known_ms: int
    propensity: float


class Lesson(TypedDict):
    """A labelled (or sampled unlabelled) example: the learners' only food."""

    id: str
    """Effect id: partition/number/index in the journal."""
    task: Task
    tenant: str
    customer_id: str
    decision_id: str
    """The decision (partition/number) whose input this is."""
    subject_id: str
    """The ticket or transaction."""
    features: dict[str, float]
    text: str | None
    label: str | bool | None
    label_source: LabelSource
    scores: dict[str, float]
    """What the learner said at the decision, by class; empty before it could."""
    answered: NotRequired[bool]
    """The decision rested on that: the learner was trusted and, of a category, sure enough."""
    propensity: float
    """The chance with which this example was chosen to be learned, in (0, 1]."""
    asked: NotRequired[bool]
    """The desk had asked about it: who labels others, and which, nobody knows."""
    terminal_id: str | None
    amount_minor: int | None
    occurred_ms: int
    known_ms: int
    corrects: str | None
    """The lesson that this one corrects, if the label changed."""
    previous: NotRequired[Previous | None]
    """What that one said."""


PRIORITY_CHANGE: TypeAdapter[PriorityChange] = TypeAdapter(PriorityChange)
ALERT: TypeAdapter[Alert] = TypeAdapter(Alert)
QUESTION: TypeAdapter[Question] = TypeAdapter(Question)
LESSON: TypeAdapter[Lesson] = TypeAdapter(Lesson)
