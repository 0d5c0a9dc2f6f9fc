"""Waits until everything published so far has been decided, published, learned, archived."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL, LESSONS, QUALITY_TOPIC
from streams.kafka import Consumer, end_offset, last_record_end, make_consumer
from streams.settings import KafkaSettings
from streams.stack.role_process import RoleProcess

Ends = Mapping[tuple[str, int], int]
"""Offset behind the last published record, by topic and partition."""

ASK_EVERY_S = 0.01
PATIENCE_S = 180.0


class Barrier:
    """Asks the roles how far they are.

    Args:
        kafka: The broker.
        roles: The processes, called at each wait (a supervisor may replace them).
        consumer: Any consumer, for the ends of topics.
        tend: Called while waiting, e.g. to restart what died.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        roles: Callable[[], Sequence[RoleProcess]],
        consumer: Consumer,
        tend: Callable[[], None],
    ) -> None:
        self._kafka = kafka
        self._roles = roles
        self._consumer = consumer
        self._tend = tend

    def decided(self, ends: Ends) -> dict[int, int]:
        """Wait until all inputs below ``ends`` are decided; give the journal's ends."""
        journal: dict[int, int] = {}

        def there() -> bool:
            sources: dict[tuple[str, int], int] = {}
            for status in self._statuses("desk"):
                for number, partition in status["partitions"].items():
                    journal[int(number)] = partition["journal_next"]
                    for topic, offset in partition["sources"].items():
                        sources[(topic, int(number))] = offset
            return all(sources.get(place, 0) >= end for place, end in ends.items())

        self._wait("the desk", there)
        return journal

    def folded(self, ends: Ends) -> dict[int, int]:
        """Wait until ``ends`` are decided, published, and their lessons learned."""
        journal = self.decided(ends)
        self._wait("the publisher", lambda: self._published(journal))
        lessons_end = end_offset(self._consumer, LESSONS.name, 0)
        self._wait(
            "the learners",
            lambda: all(s["lessons_seen"] >= lessons_end for s in self._statuses("desk")),
        )
        return journal

    def archived(self, journal: Mapping[int, int]) -> None:
        """Wait until the journal, all lessons and all reports are in the warehouse."""
        ends = {f"{JOURNAL.name}/{number}": end for number, end in journal.items()}
        # the learners' revision is the end of the last lesson; the topic's end may be a marker's
        ends[f"{LESSONS.name}/0"] = max(s["revision"] for s in self._statuses("desk"))
        with closing(make_consumer(self._kafka, group="riverdesk-barrier")) as consumer:
            ends[f"{QUALITY_TOPIC.name}/0"] = last_record_end(consumer, QUALITY_TOPIC.name)

        def there() -> bool:
            positions: dict[str, int] = {}
            for status in self._statuses("archiver"):
                positions |= status["positions"]
            return all(positions.get(place, 0) >= end for place, end in ends.items() if end > 0)

        self._wait("the archiver", there)

    def _published(self, journal: Mapping[int, int]) -> bool:
        positions: dict[int, int] = {}
        for status in self._statuses("publisher"):
            for number, partition in status["partitions"].items():
                positions[int(number)] = partition["journal_next"]
        return all(positions.get(number, 0) >= end for number, end in journal.items())

    def _statuses(self, role: str) -> list[dict[str, Any]]:
        return [each.status() for each in self._roles() if each.role == role]

    def _wait(self, whom: str, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        pause_s = ASK_EVERY_S / 4
        while True:
            try:
                if there():
                    return
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise UnavailableError(f"{whom} did not catch up within {PATIENCE_S:.0f} s")
            self._tend()
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, ASK_EVERY_S * 4)
