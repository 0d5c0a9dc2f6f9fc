"""From decided to acknowledged: into the journal, then into the stores, in order.

The next batch is decided while the records of this one are under way: waiting for the broker after
each batch would leave the processor idle. A batch counts alone, once all of its own records stand
where they are expected and all before it counts; so what the stores hold is at any time the fold
of a beginning of the journal, as if each batch had been waited for.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.desk.partition import Decided, Partition
from streams.journal.writer import TogetherFlight, Writer

Work = list[tuple[Partition, Decided]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch that is decided.

    Args:
        work: What became of its slices; each of another partition.
        published_ms: When its records were published.
        started_at_s: When it was begun, by ``time.perf_counter``.
    """

    work: Work
    published_ms: list[int] = field(default_factory=list)
    started_at_s: float = 0.0


class Journaling:
    """The batches whose records are under way.

    Args:
        writer: Nobody else sends with it.
        acknowledged: Told of each batch once the journal has it, and the stores know.
    """

    def __init__(self, writer: Writer, acknowledged: Callable[[Judged], None]) -> None:
        self._writer = writer
        self._acknowledged = acknowledged
        self._under_way: deque[tuple[Judged, TogetherFlight]] = deque()

    async def send(self, judged: Judged) -> None:
        """Send a batch's dead letters, and once these are acknowledged its journal records.

        Raises:
            UnavailableError: what became of the records, and of all that is under way, is unknown.
        """
        dead = [letter for _, decided in judged.work for letter in decided.dead]
        if dead:
            await self._writer.append(dead)
        entries = [entry for _, decided in judged.work for entry in decided.entries]
        self._under_way.append((judged, self._writer.send_together(entries)))

    async def settle(self, leave: int = 0) -> None:
        """Have all but the newest ``leave`` batches acknowledged, the oldest first.

        Raises:
            UnavailableError: as :meth:`send`.
        """
        while len(self._under_way) > leave:
            judged, flight = self._under_way[0]
            stands = await self._writer.arrival(flight)
            for partition, decided in judged.work:
                number, first = partition.identity.partition, partition.store.position.journal_next
                expected = range(first, first + len(decided.entries))
                if stands[JOURNAL.name, number] != expected:
                    raise UnavailableError(f"somebody else wrote to journal partition {number}")
            for partition, decided in judged.work:
                partition.store.acknowledge(decided.position)
            self._under_way.popleft()
            self._acknowledged(judged)

    def partitions(self) -> Iterator[Partition]:
        """Give the partitions of what is under way."""
        for judged, _ in self._under_way:
            yield from (partition for partition, _ in judged.work)

    def throw_away(self) -> None:
        """Forget what is under way; it may come to the journal, or not."""
        self._writer.throw_away()
        self._under_way.clear()
