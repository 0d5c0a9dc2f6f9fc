"""The real desk under the simulated company's events, with the publisher, so that lessons flow."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice

from schemas.registry import JOURNAL
from streams.bench.engine_process import EngineProcess
from streams.bench.engines.upstream import company_events
from streams.bench.ground import Ground
from streams.settings import Settings

ROLE = "streams.stack.supervised"


class Load:
    """Events of the company on topics that were made anew, and the roles that deal with them.

    Args:
        ground: Where.
        events: So many are published before the roles start.
    """

    def __init__(self, ground: Ground, events: int) -> None:
        self._ground = ground
        self.published = 0
        """How many of the company's events have been published."""
        ground.renew()
        self.publish(events)

    def publish(self, events: int) -> None:
        """Publish the company's next events, all at once."""
        scheduled = islice(company_events(), self.published, self.published + events)
        self.published += self._ground.publish(
            (each.topic, each.key, each.value) for each in scheduled
        )

    @contextmanager
    def running(self) -> Iterator[EngineProcess]:
        """Run publisher and desk, each a process; gives the desk."""
        with ExitStack() as open_:
            for role in ("publisher", "desk"):
                process = EngineProcess(ROLE, self._settings(role), [role])
                open_.enter_context(process)
            yield process

    def decided(self) -> int:
        """Give how many records the journal has."""
        return sum(self._ground.ends(JOURNAL.name))

    def _settings(self, role: str) -> Settings:
        settings = self._ground.settings_for(self._ground.name(role))
        # The company's days are not ours: only its events move time.
        desk = settings.desk.model_copy(update={"clock": "events"})
        return settings.model_copy(update={"desk": desk})
