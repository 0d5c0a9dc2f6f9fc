"""Where a bench runs: a broker, a directory, and what every measure is asked for."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from confluent_kafka import KafkaException, admin
from confluent_kafka.admin import AdminClient

from schemas.errors import UnavailableError
from schemas.registry import TOPICS
from streams.demo.feed import Feed
from streams.kafka import TopicPartition, end_offset, make_consumer
from streams.settings import Settings
from streams.stack.ports import free_ports
from streams.topics import create_topics

PARTITIONS = 4
CUSTOMERS = 5_000
"""As many customers as the events of the fixed job are about."""

SETTLE_S = 30.0
ENDS_PATIENCE_S = 5.0
LOG_LEVEL = 3
"""Of syslog: errors. That a topic we dropped has no partitions any more is no news."""

Event = tuple[str, str, bytes]
"""Topic, key and value of something to be published."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for.

    Args:
        events: Of the backlog of one run of the fixed job, > 0; other measures take a share.
        repeats: Runs of each measure, >= 1; figures are their medians.
        rate_per_s: Of the measure of latency.
        latency_s: How long it takes.
        engines: Which engines run the fixed job; empty for all.
        soak_minutes: How long a desk is watched for growth.
        peers_python: The interpreter of the engines that have an environment of their own.
    """

    events: int = 150_000
    repeats: int = 3
    rate_per_s: int = 300
    latency_s: float = 15.0
    engines: tuple[str, ...] = ()
    soak_minutes: float = 30.0
    peers_python: str = sys.executable


class Ground:
    """A broker that is ours alone, with the topics of Riverdesk and of the bench.

    Args:
        settings: Point at the broker; ``topics.partitions`` is what everything is made with.
        directory: Everything that is written lies below it.
        asked: What the user asked for.
        broker_pid: Of the broker's process, where it is known.
        tell: Takes one line for people at each step.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        asked: Asked,
        *,
        broker_pid: int | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.asked = asked
        self.broker_pid = broker_pid
        self.tell = tell
        self.partitions = settings.topics.partitions
        self._admin = AdminClient(
            {"bootstrap.servers": settings.kafka.bootstrap, "log_level": LOG_LEVEL}
        )
        self._counter = make_consumer(settings.kafka, "bench-counter")
        self._numbers = count(1)

    def name(self, what: str) -> str:
        """Give a name that nothing else has."""
        return f"bench-{what}-{next(self._numbers)}"

    def settings_for(self, worker: str) -> Settings:
        """Give settings for a process with a state of its own."""
        ports = free_ports(3)
        roles = ("desk", "publisher", "archiver")
        changes: dict[str, object] = {
            role: getattr(self.settings, role).model_copy(update={"web_port": port})
            for role, port in zip(roles, ports, strict=True)
        }
        changes |= {
            "worker": worker,
            "state_dir": self.directory / worker,
            "log_level": "warning",
        }
        return self.settings.model_copy(update=changes)

    # -- topics ---------------------------------------------------------------------------------

    def renew(self, names: Sequence[str] = ()) -> None:
        """Make Riverdesk's topics anew and empty.

        Args:
            names: Only these; without one all.

        Raises:
            UnavailableError: the broker does not do it.
        """
        wanted = list(names) or [topic.name for topic in TOPICS]
        there = self._admin.list_topics(timeout=10).topics
        gone = [name for name in wanted if name in there]
        if gone:
            for future in self._admin.delete_topics(gone).values():
                with suppress(KafkaException):  # already gone
                    future.result()
        self._until(lambda: not set(gone) & set(self._admin.list_topics(timeout=10).topics))
        made = create_topics(self.settings.kafka, self.settings.topics)
        for name in made:
            self._until(lambda name=name: self._is_there(name))  # type: ignore[misc]

    def add_topic(self, name: str, **config: str) -> str:
        """Make a topic for a run and give its name; records get the time of their append."""
        new = admin.NewTopic(  # type: ignore[attr-defined]
            name,
            num_partitions=self.partitions,
            replication_factor=1,
            config={"message.timestamp.type": "LogAppendTime"} | config,
        )
        for future in self._admin.create_topics([new]).values():
            future.result()
        self._until(lambda: self._is_there(name))
        return name

    def drop_topic(self, name: str) -> None:
        """Delete a run's topic; the disk is small."""
        for future in self._admin.delete_topics([name]).values():
            with suppress(KafkaException):
                future.result()

    def publish(self, events: Iterable[Event]) -> int:
        """Publish events and wait for their acknowledgement; gives how many."""
        feed, published = Feed(self.settings.kafka), 0
        for topic, key, value in events:
            feed.send(topic, key, value)
            published += 1
        feed.flush()
        return published

    def count(self, topic: str) -> int:
        """Give how many records a topic has got so far."""
        return sum(self.ends(topic))

    def ends(self, topic: str) -> list[int]:
        """Give the offset behind the last record of each partition.

        Raises:
            UnavailableError: the broker does not say.
        """
        deadline = time.monotonic() + ENDS_PATIENCE_S
        while True:
            try:
                return self._ends(topic)
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _ends(self, topic: str) -> list[int]:
        places = [TopicPartition(topic, number) for number in range(self.partitions)]
        asked = {place: admin.OffsetSpec.latest() for place in places}  # type: ignore
        try:
            found = self._admin.list_offsets(asked, request_timeout=10.0)
            return [int(found[place].result().offset) for place in places]
        except KafkaException as fault:
            raise UnavailableError(f"ends of {topic} are not known: {fault}") from fault

    def offsets_at(self, topic: str, moment_ms: int) -> list[int]:
        """Give the first offset of each partition from a moment on."""
        asked = [TopicPartition(topic, number, moment_ms) for number in range(self.partitions)]
        found = self._counter.offsets_for_times(asked, timeout=10.0)
        return [
            end if place.offset < 0 else place.offset
            for place, end in zip(found, self.ends(topic), strict=True)
        ]

    def close(self) -> None:
        """Leave the broker, before it ends: a client that outlives it complains on the screen."""
        self._counter.close()
        del self._admin  # has no other way to close

    def _is_there(self, topic: str) -> bool:
        """Tell whether the topic has leaders that answer; a renewed one takes a moment."""
        if topic not in self._admin.list_topics(timeout=10).topics:
            return False
        try:
            self._admin.list_topics(topic, timeout=10)
            end_offset(self._counter, topic, 0)
        except (KafkaException, UnavailableError):
            return False
        return True

    @staticmethod
    def _until(done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SETTLE_S
        while not done():
            if time.monotonic() > deadline:
                raise UnavailableError("the broker does not make the topics anew")
            time.sleep(0.05)
