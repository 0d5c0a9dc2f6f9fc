"""Where topics end, asked of the broker by a client of its own.

The intake's client may not be asked by a second thread, and what it remembers of a paused
partition is old: while the warehouse is away, the archiver's lag would seem to stand still.
"""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from schemas.registry import JOURNAL, LESSONS
from streams.health.standing import Ends
from streams.intake.continuity import Place
from streams.kafka import client_config
from streams.settings import KafkaSettings

ASK_S = 5.0
ALWAYS: frozenset[Place] = frozenset({(JOURNAL.name, 0), (LESSONS.name, 0)})
"""Asked for by everybody, so that a worker without partitions knows about the broker too."""


class EndFinder:
    """Asks for the ends as a reader of committed records sees them.

    Args:
        kafka: The broker.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._config = client_config(kafka)
        self._admin: Any = None
        self._newest: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]

    def ask(self, places: Iterable[Place]) -> Ends:
        """Give the ends of these places, or why the broker does not answer; at most some 5 s."""
        self._admin = self._admin or AdminClient(self._config)
        try:
            answers = self._admin.list_offsets(
                {TopicPartition(*place): self._newest for place in ALWAYS.union(places)},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=ASK_S,
            )
            offsets = {
                (place.topic, place.partition): int(answer.result(2 * ASK_S).offset)
                for place, answer in answers.items()
            }
        except (KafkaException, TimeoutError) as fault:
            self._admin = None  # it may hold on to what it knew of a broker that has restarted
            return Ends({}, str(fault) or "no answer")
        return Ends(offsets)
