"""The fixed job as a core: the desk decides, journals and folds with it as with its own."""

from collections.abc import Mapping
from typing import Any

from models import core as riverdesk
from models.context import Draft, place
from models.fixed_job.job import UNKNOWN, FixedJob, draft
from models.learning import Learners
from models.policy import Policy
from models.state import Changes, Stamp, State
from schemas.base import Event
from schemas.errors import RejectedError
from schemas.journal import EventKind, Source
from schemas.transactions import Transaction


class FixedCore:
    """Satisfies :class:`models.verbs.Core`; knows transactions and policies only."""

    def __init__(self) -> None:
        self._job = FixedJob()

    def mask(self, event: Event, key: bytes) -> Event:
        """Give the event as it is: there is nothing personal in it."""
        return event

    def decide_event(
        self,
        kind: EventKind,
        event: Event,
        source: Source,
        state: State,
        learners: Learners,
        policy: Policy,
        stamp: Stamp,
    ) -> Draft:
        """Decide about a transaction.

        Raises:
            RejectedError: another event.
        """
        if not isinstance(event, Transaction):
            raise RejectedError(f"{kind}: the fixed job knows transactions only")
        customer = state.get("customer", place(event.tenant, event.customer_id))
        decision = self._job.decide(event, customer or UNKNOWN, event.occurred_ms)
        return draft(decision, source, learners.revision)

    def decide_tick(
        self, tick_ms: int, state: State, learners: Learners, policy: Policy, stamp: Stamp
    ) -> Draft | None:
        """Decide nothing: nothing ever falls due."""
        return None

    def is_tick_due(self, tick_ms: int, state: State, learners: Learners, partition: int) -> bool:
        """Say that nothing falls due."""
        return False

    def decide_policy(self, content: Mapping[str, Any], stamp: Stamp) -> Draft:
        """Put a policy in force, as :func:`models.core.decide_policy` does."""
        return riverdesk.decide_policy(content, stamp)

    def advance(self, record: Mapping[str, Any], state: State) -> Changes:
        """Give the customer's next state."""
        if record["kind"] != "transaction":
            return riverdesk.advance(record, state)
        key = place(record["tenant"], record["customer_id"])
        customer = state.get("customer", key)
        return Changes({("customer", key): self._job.advance(customer or UNKNOWN, record)})
