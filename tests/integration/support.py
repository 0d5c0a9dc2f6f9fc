"""A whole Riverdesk on a broker of the test's choice, and one load streamed through it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from streams.demo.audit import Audit
from streams.demo.counting import count
from streams.demo.feed import Feed
from streams.local_kafka.fetch import missing
from streams.local_kafka.server import KafkaServer
from streams.settings import DeskSettings, KafkaSettings, Settings, TopicSettings
from streams.simulator.company import company
from streams.simulator.schedule import Truth
from streams.stack.barrier import Barrier
from streams.stack.stack import Stack

PARTITIONS = 4
START_MS = 1_772_409_600_000


def settings(desk: dict[str, Any] | None = None, **changes: Any) -> Settings:
    return Settings(
        topics=TopicSettings(partitions=PARTITIONS),
        desk=DeskSettings(clock="events", **(desk or {})),
        **changes,
    )


@contextmanager
def embedded_stack(directory: Path, desk: dict[str, Any] | None = None) -> Iterator[Stack]:
    """Run everything beside the stand-ins; ``desk`` holds settings of the desk."""
    with Stack(settings(desk), directory) as stack:
        yield stack


@contextmanager
def kafka_stack(
    directory: Path, desks: int = 1, desk: dict[str, Any] | None = None
) -> Iterator[Stack]:
    """Run everything beside an Apache Kafka; ``desk`` holds settings of the desks."""
    if lacking := missing():
        reason = f"a real Kafka needs {' and '.join(lacking)}"
        if os.environ.get("CI") == "true" or os.environ.get("RIVERDESK_REQUIRE_KAFKA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with (
        KafkaServer(directory / "kafka") as server,
        Stack(
            settings(desk, kafka=KafkaSettings(bootstrap=server.bootstrap)),
            directory,
            embedded_broker=False,
            desks=desks,
        ) as stack,
    ):
        yield stack


@dataclass
class Load:
    """Publishes to a stack and counts what came of it."""

    stack: Stack
    feed: Feed = field(init=False)
    audit: Audit = field(init=False)
    truth: Truth = field(default_factory=Truth)

    def __post_init__(self) -> None:
        self.feed = Feed(self.stack.settings.kafka)
        self.audit = Audit(self.stack.settings, PARTITIONS)
        self._barrier = Barrier(
            self.stack.settings.kafka,
            lambda: self.stack.roles,
            self.audit.consumer,
            self.stack.tend,
        )

    def company(
        self, events: int, seed: int = 1, at: dict[int, Callable[[], None]] | None = None
    ) -> None:
        """Publish a company's events without waiting; call what ``at`` says at its counts."""
        for number, event in enumerate(company(seed, events, START_MS, truth=self.truth)):
            self.feed.send(event.topic, event.key, event.value)
            if at and number in at:
                self.feed.flush()
                at[number]()
        self.feed.flush()

    def settle(self) -> None:
        """Wait until what was published is decided and its lessons are learned."""
        self.feed.flush()
        self._barrier.folded(self.feed.ends)

    def report(self) -> dict[str, Any]:
        """Wait until everything is folded and archived, and count."""
        self.feed.flush()
        journal = self._barrier.folded(self.feed.ends)
        self.audit.catch_up(journal)
        self._barrier.archived(journal)
        report = count(self.stack.settings, PARTITIONS, self.feed, self.audit.seen)
        self.audit.close()
        return report
