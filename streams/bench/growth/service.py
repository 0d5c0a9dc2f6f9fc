"""A desk as people run it: role processes on a broker, under a steady load of simulated events."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from schemas.errors import UnavailableError
from streams.bench.ground import Ground
from streams.bench.growth.history import START_MS
from streams.kafka import make_producer
from streams.settings import KafkaSettings
from streams.simulator.company import company
from streams.simulator.schedule import Scheduled
from streams.stack.role_process import RoleProcess

ANSWER_S = 60.0
CATCH_UP_S = 300.0
LOOK_EVERY_S = 0.05
AFFLUENCE = 0.35
"""Of a simulated company, customers = this x events / days."""


class Service:
    """Empty topics, and the workers that are added.

    Args:
        ground: Its topics are made anew.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._open = ExitStack()

    @property
    def kafka(self) -> KafkaSettings:
        """Where the broker is."""
        return self._ground.settings.kafka

    @property
    def partitions(self) -> int:
        """Of the inputs and the journal."""
        return self._ground.partitions

    def __enter__(self) -> Self:
        """Empty the topics."""
        self._ground.renew()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the workers."""
        self._open.close()

    def add(self, role: str) -> RoleProcess:
        """Add a worker with an empty state of its own, not yet started."""
        worker = self._ground.name(role)
        settings = self._ground.settings_for(worker)
        # The simulated company lives in another year: by the clock all would fall due at once.
        desk = settings.desk.model_copy(update={"clock": "events"})
        settings = settings.model_copy(update={"desk": desk})
        log_path = self._ground.directory / "logs" / f"{worker}.log"
        process = RoleProcess(role, settings, log_path)
        self._open.callback(process.stop)
        return process


def await_answer(worker: RoleProcess, patience_s: float = ANSWER_S) -> None:
    """Wait until a worker answers.

    Raises:
        UnavailableError: it has ended, or does not in time; with its last words.
    """
    until_s = time.monotonic() + patience_s
    while True:
        try:
            worker.status()
        except UnavailableError:
            if not worker.alive or time.monotonic() > until_s:
                raise UnavailableError(f"{worker.name}: {worker.last_words()}") from None
            time.sleep(LOOK_EVERY_S)
        else:
            return


def decided_count(desks: list[RoleProcess]) -> int:
    """Give how many input records the desks have decided, by their own status.

    Raises:
        UnavailableError: one of them does not answer.
    """
    return sum(
        sum(partition["sources"].values())
        for desk in desks
        for partition in desk.status()["partitions"].values()
    )


def await_decided(desks: list[RoleProcess], count: int, patience_s: float = CATCH_UP_S) -> None:
    """Wait until the desks have decided so many input records.

    Raises:
        UnavailableError: they have not in time.
    """
    until_s = time.monotonic() + patience_s
    while decided_count(desks) < count:
        if time.monotonic() > until_s:
            raise UnavailableError(f"{count} events were not decided in {patience_s:.0f} s")
        time.sleep(LOOK_EVERY_S)


def events_of(count: int, customers: int, seed: int = 1) -> Iterator[Scheduled]:
    """Give a company's events; it has about so many customers."""
    return company(seed, count, START_MS, days=AFFLUENCE * count / customers)


@dataclass
class Feed:
    """Publishes events in a thread, at a steady rate.

    Args:
        kafka: The broker.
        events: In order.
        per_s: So many a second; ``None`` as fast as they are taken.
    """

    kafka: KafkaSettings
    events: Iterator[Scheduled]
    per_s: float | None = None

    def __post_init__(self) -> None:
        self.sent_count = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, with everything acknowledged that was sent."""
        self._stopping.set()
        self._thread.join()

    def finish(self) -> int:
        """Wait until all events are published and give their number."""
        self._thread.join()
        return self.sent_count

    def _run(self) -> None:
        producer = make_producer(self.kafka, linger_ms=2)
        began_s = time.monotonic()
        for event in self.events:
            if self.per_s is not None:
                early_s = began_s + self.sent_count / self.per_s - time.monotonic()
                if early_s > 0:
                    self._stopping.wait(early_s)
            if self._stopping.is_set():
                break
            while True:
                try:
                    producer.produce(event.topic, event.value, event.key.encode())
                except BufferError:
                    producer.poll(0.05)
                else:
                    break
            producer.poll(0)
            self.sent_count += 1
        producer.flush()
