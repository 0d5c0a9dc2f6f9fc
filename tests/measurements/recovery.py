"""Recovery time against the size of the state and the age of the checkpoint.

``python -m tests.measurements.recovery [--customers 10000 100000] [--ages 0 10000]`` prints the
tables of docs/recovery.md; seconds are those of the clock and, in brackets, of the processor. It
starts an Apache Kafka of its own for the journal.

The state is real: a simulated company's events are decided by the core and folded into a store.
A few thousand customers are made so and then cloned under other ids until there are enough. The
journal after the checkpoint are the same events' records again, with ids and numbers of their own.
"""

import argparse
import asyncio
import logging
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import structlog

from schemas.codec import decode_json, digest_bytes, encode
from schemas.registry import JOURNAL
from streams.bench.growth.copies import make_store
from streams.bench.growth.history import MARK, START_MS, History
from streams.desk.cache import CacheBudget
from streams.desk.checkpoints import Checkpoints
from streams.desk.position import FoldPosition
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.state_keeper import StateKeeper
from streams.desk.store import PartitionStore
from streams.desk.takeover import take_over
from streams.journal.acceptance import Reading
from streams.journal.writer import Outgoing, Writer
from streams.local_kafka.server import KafkaServer
from streams.settings import KafkaSettings, TopicSettings
from streams.topics import create_topics

EVENTS = 6_000
CUSTOMERS = 4_200
CLAIM = {"v": 1, "kind": "claim", "epoch": 1, "writer": "w", "at_ms": 0}
APPEND_RECORDS = 5_000


class Sample:
    """Some thousand customers with what was decided about them, and the records that did it."""

    def __init__(self, directory: Path, events: int = EVENTS) -> None:
        self.history = History(directory, customers=CUSTOMERS, past=events, coming=0)
        self.learners, self.customers = self.history.learners, self.history.customers
        self.records = [raw for raw in self.history.journal if "source" in decode_json(raw)]

    def journal(self, record_count: int) -> Iterator[bytes]:
        """Give a claim and then so many records; each round of events has ids of its own."""
        yield encode(CLAIM)
        rounds = (chr(letter) for letter in count(ord("a")))
        numbers = count(1)
        while record_count > 0:
            name = MARK + f"{next(rounds)}1-".encode()
            for raw in islice(self.records, record_count):
                record: dict[str, Any] = decode_json(raw.replace(MARK + b"s1-", name))
                record |= {"number": next(numbers), "writer": "w"}
                record_count -= 1
                yield encode(record)

    def make_store(self, directory: Path, customers: int) -> PartitionStore:
        """Make a store of so many customers, each with all that belongs to one."""
        make_store(self.history, directory, -(-customers // len(self.customers)))
        return PartitionStore(directory)


async def longest_pause_s(work: Callable[[], Any]) -> float:
    """Give the longest time that the loop did not come round while ``work`` was awaited."""
    longest = 0.0
    done = asyncio.Event()

    async def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not done.is_set():
            await asyncio.sleep(0.0005)
            now = time.perf_counter()
            longest, last = max(longest, now - last - 0.0005), now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    longest = 0.0
    await work()
    done.set()
    await ticking
    return longest


class Spent:
    """Wall clock and processor time since it was made; other work may hold the processors."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def wall_s(self) -> float:
        return time.perf_counter() - self._wall_s

    def __str__(self) -> str:
        return f"{self.wall_s():.1f} ({time.process_time() - self._cpu_s:.1f})"


class Owned:
    """As much of a partition as the keeper looks at; times what the loop itself does."""

    def __init__(self, store: PartitionStore) -> None:
        self.store = self
        self.linking_s = 0.0
        self.path, self.position, self.flush = store.path, store.position, store.flush
        self._snapshot = store.snapshot

    def snapshot(self, path: Path) -> FoldPosition:
        began_s = time.perf_counter()
        position = self._snapshot(path)
        self.linking_s = time.perf_counter() - began_s
        return position


def size_mb(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files if each.is_file()) / 1e6


def append(kafka: KafkaSettings, partition: int, records: Iterator[bytes]) -> None:
    writer = Writer(kafka)
    while part := list(islice(records, APPEND_RECORDS)):
        writer.append_now([Outgoing(JOURNAL.name, partition, None, raw) for raw in part])


def measure_state(
    sample: Sample, kafka: KafkaSettings, directory: Path, customers: int, ages: Sequence[int]
) -> None:
    store = sample.make_store(directory / "store" / "1", customers)
    first = list(sample.journal(1))
    store.commit(FoldPosition(Reading(1, "w", 1), len(first), digest_bytes(first[-1]), revision=0))
    store.flush()
    checkpoints = StateCheckpoints(directory / "shared", b"key", 1, "w")
    columns = [f"{customers:,}", f"{size_mb(store.path):.0f}"]
    restored: list[str] = []
    for number, age in enumerate(ages):
        owned = Owned(store)
        partitions: Any = {number: owned}
        keeper = StateKeeper(checkpoints, 900.0, partitions)
        began = Spent()
        pause_s = asyncio.run(longest_pause_s(keeper.look))
        took = str(began)
        (path,) = checkpoints.shelf(number).paths()
        if number == 0:
            idle_s = asyncio.run(longest_pause_s(partial(asyncio.sleep, began.wall_s())))
            columns += [f"{size_mb(path):.0f}", took]
            columns += [f"{held_s * 1e3:.1f}" for held_s in (pause_s, owned.linking_s, idle_s)]
        began = Spent()
        taken = take_over(
            number, len(ages), 1,
            path=directory / "elsewhere" / str(number), kafka=kafka, clock=lambda: START_MS,
            wanted=lambda: True, budget=CacheBudget(), checkpoints=checkpoints,
        )  # fmt: skip
        restored.append(str(began))
        assert taken is not None
        assert taken[1].origin == "checkpoint"
        assert taken[1].position.reading.number == age + 1
        taken[1].close()
        shutil.rmtree(directory / "elsewhere")
        path.unlink()
    store.close()
    print("| " + " | ".join(columns + restored) + " |", flush=True)


def measure_learners(sample: Sample, directory: Path, terminals: int) -> None:
    learners = sample.learners
    for number in range(terminals):
        learners.knowledge.learn("default", f"t{number}", f"s{number}", False, number, number)
    checkpoints = Checkpoints(directory, b"key", 1, "w")

    async def on_the_loop() -> None:
        pickle.dumps(learners, protocol=5)

    async def in_a_thread() -> None:
        await asyncio.to_thread(checkpoints.save, learners)

    plain_s = asyncio.run(longest_pause_s(on_the_loop))
    began = Spent()
    pause_s = asyncio.run(longest_pause_s(in_a_thread))
    took = str(began)
    (path,) = checkpoints.shelf.paths()
    began = Spent()
    assert checkpoints.newest(lambda revision, digest: True) is not None
    print(
        f"| {learners.revision:,} | {terminals:,} | {size_mb(path):.0f} | {took} "
        f"| {plain_s * 1e3:.0f} | {pause_s * 1e3:.0f} | {began} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--ages", type=int, nargs="+", default=[0, 10_000, 100_000])
    parser.add_argument("--terminals", type=int, nargs="+", default=[0, 20_000, 200_000])
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    directory = Path(tempfile.mkdtemp(prefix="riverdesk-recovery-"))
    try:
        sample = Sample(directory / "sample")
        print(f"{len(sample.records):,} records about {len(sample.customers):,} customers\n")
        with KafkaServer(directory / "kafka") as server:
            for customers in given.customers:
                kafka = KafkaSettings(bootstrap=server.bootstrap)
                if customers == given.customers[0]:
                    create_topics(kafka, TopicSettings(partitions=len(given.ages)))
                    for number, age in enumerate(given.ages):
                        append(kafka, number, sample.journal(age + 1))
                    heads = " | ".join(f"{age:,} behind, s" for age in given.ages)
                    print(f"\n| customers | store MB | checkpoint MB | written, s | loop held, ms "
                          f"| linking, ms | idle loop, ms | {heads} |\n"
                          f"|{'--:|' * (7 + len(given.ages))}")  # fmt: skip
                measure_state(sample, kafka, directory / str(customers), customers, given.ages)
                shutil.rmtree(directory / str(customers))
        print("\n| lessons | terminals | MB | written in s | loop held: pickled on it, ms "
              "| in a thread, ms | loaded in s |\n|--:|--:|--:|--:|--:|--:|--:|")  # fmt: skip
        for terminals in given.terminals:
            measure_learners(sample, directory / f"learners-{terminals}", terminals)
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
