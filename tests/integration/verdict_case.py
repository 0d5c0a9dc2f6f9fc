"""What a small load left behind, in memory, where each kind of damage can be done to it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from copy import copy, deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.codec import decode_json, encode
from schemas.registry import DEAD, INPUTS, JOURNAL, QUALITY_TOPIC
from sinks.readback import Columns, WarehouseReadback
from sinks.tables import TABLES, Table
from streams.chaos.published import Published
from streams.chaos.verdict.compare import Comparison
from streams.chaos.verdict.logs import KafkaLogs, Stood
from streams.chaos.verdict.verdict import Verdict
from streams.demo.audit import ALONE, OUTPUTS
from streams.kafka import last_record_end, make_consumer, make_producer
from streams.settings import KafkaSettings, Settings
from streams.simulator.company import company
from streams.stack.barrier import Barrier
from streams.stack.stack import Stack
from streams.warehouse import open_warehouse
from tests.integration.support import PARTITIONS, START_MS

END = 1 << 62
REPORT_S = 60.0
Value = dict[str, Any]


class MemoryLogs:
    """Topics in lists."""

    def __init__(self, places: dict[tuple[str, int], list[Stood]]) -> None:
        self.places = places

    def read(self, topic: str, partition: int) -> Iterator[Stood]:
        return iter(list(self.places.get((topic, partition), ())))

    def find(
        self,
        topic: str,
        wanted: Callable[[Value], bool] = lambda value: True,
        *,
        last: bool = False,
    ) -> tuple[list[Stood], int, Value]:
        """Give the list, the index in it and the value of the first (or last) such record."""
        for partition in range(PARTITIONS):
            records = self.places.get((topic, partition), [])
            for index in sorted(range(len(records)), reverse=last):
                value = decode_json(records[index].value or b"null")
                if wanted(value):
                    return records, index, value
        raise AssertionError(f"the load gave no such record on {topic}")


class MemoryTables:
    """Tables in lists of columns, by name and partition."""

    def __init__(self, tables: dict[tuple[str, int], dict[str, list[Any]]]) -> None:
        self.tables = tables
        self.surplus: dict[str, int] = {}
        self.repeats: dict[str, int] = {}

    def columns(self, table: Table, partition: int, start: int, end: int) -> Columns:
        columns = self.tables[table.name, partition]
        within = [i for i, at in enumerate(columns[table.columns[1]]) if start <= at < end]
        return {name: [values[i] for i in within] for name, values in columns.items()}

    def row_counts(self) -> dict[str, int]:
        found = dict.fromkeys((table.name for table in TABLES), 0)
        for (name, _), columns in self.tables.items():
            found[name] += len(next(iter(columns.values())))
        return {name: count + self.surplus.get(name, 0) for name, count in found.items()}

    def physical_counts(self) -> dict[str, int]:
        return {n: count + self.repeats.get(n, 0) for n, count in self.row_counts().items()}

    def some(self, name: str) -> dict[str, list[Any]]:
        """Give the columns of a partition that has rows."""
        return next(c for (n, _), c in self.tables.items() if n == name and next(iter(c.values())))

    def drop(self, name: str, index: int) -> None:
        for values in self.some(name).values():
            del values[index]


@dataclass
class Case:
    """Everything that a verdict looks at; a copy may be damaged."""

    settings: Settings
    logs: MemoryLogs
    tables: MemoryTables
    published: Published
    statuses: list[Value]
    directories: list[Path] = field(default_factory=list)

    def copy(self) -> "Case":
        return Case(
            self.settings,
            MemoryLogs({place: list(records) for place, records in self.logs.places.items()}),
            MemoryTables(
                {
                    place: {name: list(values) for name, values in columns.items()}
                    for place, columns in self.tables.tables.items()
                }
            ),
            _copied(self.published),
            deepcopy(self.statuses),
            self.directories,
        )

    def verdict(self) -> Verdict:
        key = self.settings.masking_key.get_secret_value().encode()
        return Comparison(self.logs, self.tables, PARTITIONS, key, self.published).run(
            self.statuses
        )

    def counts(self) -> dict[str, int]:
        """Give the findings as ``kind place: count``."""
        return {
            f"{kind} {place}": count
            for kind, places in self.verdict().counts.items()
            for place, count in places.items()
        }


def _copied(published: Published) -> Published:
    copied = copy(published)
    copied._offsets = {place: offsets[:] for place, offsets in published._offsets.items()}
    copied._digests = {place: digests[:] for place, digests in published._digests.items()}
    return copied


def altered(stood: Stood, **changes: Any) -> Stood:
    """Give a record whose JSON value has other fields."""
    return stood._replace(value=encode(decode_json(stood.value or b"") | changes))


class Upstream:
    """Publishes and notes what was acknowledged."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.published = Published()
        self._producer = make_producer(kafka, linger_ms=2)

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        def acknowledged(fault: object, message: Any) -> None:
            assert fault is None
            place = message.topic(), message.partition(), message.offset()
            self.published.note(*place, key, value)

        self._producer.produce(topic, value=value, key=key, on_delivery=acknowledged)
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(30) == 0


def _with_report(
    stack: Stack, barrier: Barrier, upstream: Upstream, journal: Mapping[int, int]
) -> Mapping[int, int]:
    """Wait for the first report on the learners: a tick makes it when the input is quiet."""
    deadline = time.monotonic() + REPORT_S
    with closing(make_consumer(stack.settings.kafka, group="verdict-case")) as consumer:
        while last_record_end(consumer, QUALITY_TOPIC.name) == 0:
            assert time.monotonic() < deadline, "no report on the learners came"
            time.sleep(0.2)
            journal = barrier.folded(upstream.published.ends)
    return journal


def make_case(stack: Stack, events: int) -> Case:
    """Stream a load with duplicates, poison and events from the future; then stop the desks."""
    upstream = Upstream(stack.settings.kafka)
    with KafkaLogs(stack.settings.kafka) as logs:
        barrier = Barrier(stack.settings.kafka, lambda: stack.roles, logs._consumer, stack.tend)
        journal: Mapping[int, int] = {}
        for number, event in enumerate(company(1, events, START_MS)):
            key = event.key.encode()
            upstream.send(event.topic, key, event.value)
            if number % 50 == 7:
                upstream.send(event.topic, key, event.value)
            if number % 60 == 9:
                for value in (b"poison %d" % number, b"", None)[: 3 if number % 120 == 9 else 1]:
                    upstream.send(event.topic, key, value)
            if number % 200 == 39:
                upstream.send(event.topic, None, event.value)
                upstream.send(event.topic, b"", event.value)
            if number % 90 == 19:
                value = event.value.replace(b'"occurred_at":"2026', b'"occurred_at":"2056')
                upstream.send(event.topic, key, value.replace(b'"event_id":"', b'"event_id":"f'))
            if number % 100 == 99:
                upstream.flush()
                journal = barrier.folded(upstream.published.ends)
        journal = _with_report(stack, barrier, upstream, journal)
        barrier.archived(journal)
        statuses = [desk.status() for desk in stack.of("desk")]
        for desk in stack.of("desk"):
            desk.stop()
        places = {
            (topic, partition): list(logs.read(topic, partition))
            for topics, count in (
                ([each.name for each in (*INPUTS, JOURNAL, *DEAD)], PARTITIONS),
                ([name for name in OUTPUTS if name not in ALONE], PARTITIONS),
                (ALONE, 1),
            )
            for topic in topics
            for partition in range(count)
        }
    with open_warehouse(stack.settings.warehouse) as warehouse:
        readback = WarehouseReadback(warehouse)
        tables = {
            (table.name, partition): {
                name: list(values)
                for name, values in readback.columns(table, partition, 0, END).items()
            }
            for table in TABLES
            for partition in range(PARTITIONS)
        }
    return Case(
        stack.settings,
        MemoryLogs(places),
        MemoryTables(tables),
        upstream.published,
        statuses,
        [stack.settings.state_dir / desk.settings.worker for desk in stack.of("desk")],
    )
