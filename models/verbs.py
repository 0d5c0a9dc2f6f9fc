"""What a pure core can do: the seam between deciding and everything that makes it durable.

:mod:`models.core` is Riverdesk's own; :mod:`models.fixed_job` is the small one that engines are
measured with. Whatever core it is, journal, store and fold are the same.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from models.context import Draft
from models.learning import Learners
from models.policy import Policy
from models.state import Changes, Stamp, State
from schemas.base import Event
from schemas.journal import EventKind, Source


class Core(Protocol):
    """No I/O, no clock, no chance; equal input, equal bits."""

    def mask(self, event: Event, key: bytes, /) -> Event:
        """Take personal data out of an event that was validated."""
        ...

    def decide_event(
        self,
        kind: EventKind,
        event: Event,
        source: Source,
        state: State,
        learners: Learners,
        policy: Policy,
        stamp: Stamp,
        /,
    ) -> Draft:
        """Decide about an event; see :func:`models.core.decide_event`."""
        ...

    def decide_tick(
        self,
        tick_ms: int,
        state: State,
        learners: Learners,
        policy: Policy,
        stamp: Stamp,
        /,
    ) -> Draft | None:
        """Decide what falls due; see :func:`models.core.decide_tick`."""
        ...

    def is_tick_due(
        self, tick_ms: int, state: State, learners: Learners, partition: int, /
    ) -> bool:
        """Tell whether `decide_tick` would give a record; cheap."""
        ...

    def decide_policy(self, content: Mapping[str, Any], stamp: Stamp, /) -> Draft:
        """Put a policy in force."""
        ...

    def advance(self, record: Mapping[str, Any], state: State, /) -> Changes:
        """Give what a record changes, live as when folding."""
        ...
