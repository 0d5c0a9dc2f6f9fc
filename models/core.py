"""The pure core's four verbs: decide about an event, a tick, a policy; and advance the state.

No I/O, no clock, no chance: what comes in from outside is in the stamp. Deciding reads and
changes nothing; `advance` gives the changes of a record, live as when folding the journal.
"""

from collections.abc import Mapping
from typing import Any

from models.context import Context, Draft, place
from models.feedback_decisions import decide_feedback
from models.folding import Fold
from models.learning import Learners
from models.masking import mask
from models.policy import Policy
from models.state import Changes, Stamp, State
from models.tick_decisions import decide_tick_items, is_reporting
from models.ticket_decisions import decide_ticket
from models.transaction_decisions import decide_transaction
from models.version import CORE_VERSION
from schemas.base import Event
from schemas.errors import RejectedError
from schemas.feedback import AlertFeedback, PriorityOverride, TicketFeedback, TransactionFeedback
from schemas.journal import EventKind, Source
from schemas.tickets import TicketClosed, TicketMessage, TicketOpened, TicketStatusChanged
from schemas.transactions import Transaction

__all__ = [
    "CORE_VERSION",
    "Draft",
    "advance",
    "decide_event",
    "decide_policy",
    "decide_tick",
    "is_tick_due",
    "mask",
]

AHEAD_MS = 5 * 60_000
"""How far an event's time may lie ahead of its publishing."""

DUPLICATE_MS = 7 * 86_400_000
"""How long a repeated event id is dropped."""


def decide_event(
    kind: EventKind,
    event: Event,
    source: Source,
    state: State,
    learners: Learners,
    policy: Policy,
    stamp: Stamp,
) -> Draft:
    """Decide about a validated and masked event.

    Returns:
        A journal record of the event's kind, or of kind ``duplicate``; without v, epoch,
        writer, number.

    Raises:
        RejectedError: the event breaks a rule; it becomes a dead letter.
    """
    first = _first_position(event, source, state)
    if first is not None:
        return {
            "kind": "duplicate",
            "source": dict(source),
            "tenant": event.tenant,
            "customer_id": event.customer_id,
            "event_id": event.event_id,
            "first": first,
            "decided_ms": stamp.decided_ms,
        }
    occurred_ms = event.occurred_ms
    if occurred_ms - source["published_ms"] > AHEAD_MS:
        raise RejectedError("occurred_at is more than 5 minutes ahead of the publishing time")
    context = Context(state, learners, policy, stamp)
    match event:
        case Transaction():
            return decide_transaction(event, occurred_ms, source, context)
        case TicketOpened() | TicketMessage() | TicketStatusChanged() | TicketClosed():
            return decide_ticket(event, occurred_ms, source, context)
        case TicketFeedback() | TransactionFeedback() | AlertFeedback() | PriorityOverride():
            if event.known_ms - occurred_ms > AHEAD_MS:
                raise RejectedError("known_at is more than 5 minutes after occurred_at")
            return decide_feedback(event, occurred_ms, source, context)
    raise RejectedError(f"{kind}: no rule for {type(event).__name__}")


def decide_tick(
    tick_ms: int, state: State, learners: Learners, policy: Policy, stamp: Stamp
) -> Draft | None:
    """Decide what falls due at ``tick_ms``; ``None`` if nothing does.

    At most ``policy.tick_items`` entries; while ``decision["full"]``, call again.
    """
    return decide_tick_items(tick_ms, Context(state, learners, policy, stamp))


def is_tick_due(tick_ms: int, state: State, learners: Learners, partition: int) -> bool:
    """Tell whether `decide_tick` would give a record; cheap."""
    return bool(state.due(tick_ms, 1)) or is_reporting(tick_ms, state, learners, partition)


def decide_policy(content: Mapping[str, Any], stamp: Stamp) -> Draft:
    """Put a policy in force.

    Raises:
        MisconfiguredError: names every fault of the content; the old policy stays in force.
    """
    policy = Policy.from_content(content)
    return {
        "kind": "policy",
        "core": CORE_VERSION,
        "policy": policy.digest,
        "content": dict(content),
        "decided_ms": stamp.decided_ms,
    }


def advance(record: Mapping[str, Any], state: State) -> Changes:
    """Give what a record changes: the same for a live draft (with its number) as for the record.

    Claims, dead letters and duplicates change nothing.
    """
    return Fold(record, state).changes()


def _first_position(event: Event, source: Source, state: State) -> str | None:
    """Give where the same event id stood before, unless it was here or long ago."""
    seen = state.get("seen", place(event.tenant, event.event_id))
    if seen is None or abs(source["published_ms"] - seen["at_ms"]) > DUPLICATE_MS:
        return None
    here = (source["topic"], source["partition"], source["offset"])
    if (seen["topic"], seen["partition"], seen["offset"]) == here:
        return None
    return f"{seen['topic']}/{seen['partition']}/{seen['offset']}"
