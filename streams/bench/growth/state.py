"""CPU an event against the number of customers, on the desk's own partition and store.

Each size is a process of its own with one partition that holds *all* its customers. They decide
slices of the same events in turns, so that a busy machine does the same to all. Every customer is
hit equally often, the worst case for a cache. Nothing falls due meanwhile.
"""

import pickle
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean
from typing import Any

from models.learning import Learners
from streams.bench.growth.copies import make_store, mark, spread_over
from streams.bench.growth.history import MARK, SLICE_RECORDS, History, own, slice_of
from streams.bench.measuring import Spread, rss_bytes
from streams.desk.store import ROOM_PREFIX, PartitionStore
from streams.intake.batches import Raw
from streams.memory import collect_rarely, keep_what_is_freed

COMPANY_CUSTOMERS = 1_000
PAST_EVENTS = 6_000
SIZES = (1_000, 100_000, 1_000_000)
ROUNDS = 5
WARM_UP_SLICES = 2
GETS = 2_000


@dataclass(frozen=True, slots=True)
class Load:
    """What one of the processes is to do."""

    store: Path
    learners: Learners
    records: Sequence[Raw]
    unread_ms: int
    customers: Sequence[str]
    """To be looked up, each once."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a slice took: µs an event of the process, and of its deciding thread by part."""

    cpu_us: float
    decide_us: float
    commit_us: float


def measure_state(
    directory: Path,
    sizes: Sequence[int] = SIZES,
    *,
    rounds: int = ROUNDS,
    slices: int = 3,
    slice_records: int = SLICE_RECORDS,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure all sizes.

    Args:
        directory: For the stores, 2.5 kB for each customer; emptied afterwards.
        sizes: Numbers of customers, multiples of 1,000, rising.
        rounds: Each gives one figure for each size, at least 3.
        slices: For each round and size.
        slice_records: For each slice.
        tell: Takes a line at each step.
    """
    count = (WARM_UP_SLICES + rounds * slices) * slice_records
    history = History(
        directory / "past", customers=COMPANY_CUSTOMERS, past=PAST_EVENTS, coming=count
    )
    copies = {size: size // COMPANY_CUSTOMERS for size in sizes}
    desks: dict[int, _Desk] = {}
    try:
        for size in sizes:
            path = directory / f"customers-{size}"
            tell(f"a store of {size:,} customers is made")
            make_store(history, path, copies[size])
            desks[size] = _Desk(_load(history, path, copies[size]), slice_records)
        used: dict[int, list[list[Used]]] = {size: [] for size in sizes}
        for number in range(WARM_UP_SLICES + rounds * slices):
            for size in (*sizes[number % len(sizes) :], *sizes[: number % len(sizes)]):
                slice_used = desks[size].decide()
                if number >= WARM_UP_SLICES:
                    runs = used[size]
                    if (number - WARM_UP_SLICES) % slices == 0:
                        runs.append([])
                    runs[-1].append(slice_used)
        rows = [
            _row(size, copies[size] * len(history.customers), used[size], desks[size])
            for size in sizes
        ]
    finally:
        for desk in desks.values():
            desk.close()
        shutil.rmtree(directory, ignore_errors=True)
    return {
        "partitions": 1,
        "events_each": rounds * slices * slice_records,
        "past_events_per_customer": round(_past_each(history), 2),
        "bytes": _bytes(history),
        "state_bytes_per_event": _by_room(history),
        "disk_bytes_per_event": round(rows[-1]["disk_bytes_per_customer"] / _past_each(history)),
        "by_customers": rows,
        **_ratios(rows),
    }


def _load(history: History, store: Path, copies: int) -> Load:
    known = sorted(history.customers)[:GETS]
    looked_up = [
        known[number % len(known)].replace(MARK.decode(), mark(number * 7_919 % copies).decode())
        for number in range(GETS)
    ]
    records = spread_over(history.coming, copies)
    return Load(store, history.learners, records, history.now_ms, looked_up)


def _row(
    size: int, customers: int, runs: Sequence[Sequence[Used]], desk: "_Desk"
) -> dict[str, Any]:
    def spread(name: str) -> Spread:
        return Spread.over(sum(getattr(used, name) for used in run) / len(run) for run in runs)

    disk_bytes = sum(path.stat().st_size for path in desk.store.rglob("*") if path.is_file())
    return {
        "customers": size,
        "cpu_us": spread("cpu_us").as_json(1),
        "decide_us": spread("decide_us").as_json(1),
        "commit_us": spread("commit_us").as_json(1),
        "get_us": round(desk.get_us(), 2),
        "rss_mb": round(rss_bytes(desk.pid) / 1e6, 1),
        "disk_mb": round(disk_bytes / 1e6, 1),
        "disk_bytes_per_customer": round(disk_bytes / customers),
    }


def _past_each(history: History) -> float:
    return len(history.journal) / len(history.customers)


def _bytes(history: History) -> dict[str, int]:
    """Give the mean sizes of what flows."""
    flows = {
        "event": [raw.value or b"" for raw in history.coming],
        "journal": history.journal,
        "lesson": history.lessons,
    }
    return {name: round(mean(len(each) for each in values)) for name, values in flows.items()}


def _by_room(history: History) -> dict[str, int]:
    """Give the bytes that an event leaves in each room, not yet compressed."""
    sizes: Counter[str] = Counter()
    for key, value in history.items:
        room = key[1:].partition(b"\0")[0].decode() if key.startswith(ROOM_PREFIX) else "agenda"
        sizes[room] += len(key) + len(value)
    return {room: round(size / len(history.journal)) for room, size in sizes.most_common()}


def _ratios(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give what each size costs over the smallest one; rounds of the same number are compared."""
    least = rows[0]["cpu_us"]["runs"]
    ratios: dict[str, Any] = {}
    for row in rows[1:]:
        spread = Spread.over(
            run / first for run, first in zip(row["cpu_us"]["runs"], least, strict=True)
        )
        name = f"ratio_{_short(row['customers'])}_to_{_short(rows[0]['customers'])}"
        ratios[name] = round(spread.median, 3)
        ratios[f"{name}_spread"] = spread.as_json(3)
    return ratios


def _short(count: int) -> str:
    return f"{count // 1_000_000}m" if count >= 1_000_000 else f"{count // 1_000}k"


class _Desk:
    """One of the processes; it decides when it is told to."""

    def __init__(self, load: Load, slice_records: int) -> None:
        context = get_context("spawn")
        self.store = load.store
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, slice_records), daemon=True)
        self._process.start()
        self._connection.send_bytes(pickle.dumps(load, protocol=5))
        self._connection.recv()

    @property
    def pid(self) -> int:
        """Of the process while it runs."""
        assert self._process.pid is not None
        return self._process.pid

    def decide(self) -> Used:
        """Have the next slice decided and committed."""
        self._connection.send("decide")
        used: Used = self._connection.recv()
        return used

    def get_us(self) -> float:
        """Have customers looked up; give the mean CPU of one."""
        self._connection.send("get")
        taken_us: float = self._connection.recv()
        return taken_us

    def close(self) -> None:
        """End the process."""
        self._connection.send("close")
        self._process.join(10.0)
        if self._process.is_alive():
            self._process.kill()


def _serve(connection: Connection, slice_records: int) -> None:
    keep_what_is_freed()  # as a role does
    load: Load = pickle.loads(connection.recv_bytes())
    store = PartitionStore(load.store)
    partition = own(store, load.learners)
    parts = (
        load.records[at : at + slice_records] for at in range(0, len(load.records), slice_records)
    )
    collect_rarely()
    connection.send("ready")
    ended_s = time.process_time()
    while (order := connection.recv()) != "close":
        if order == "get":
            began_s = time.thread_time()
            for customer in load.customers:
                store.get("customer", f"default/{customer}")
            connection.send((time.thread_time() - began_s) / len(load.customers) * 1e6)
            continue
        records = next(parts)
        part = slice_of(records, partition, load.unread_ms)
        began_s = time.thread_time()
        decided = partition.decide(part, lambda: load.unread_ms, None)
        decided_s = time.thread_time()
        store.commit(decided.position)
        committed_s = time.thread_time()
        if decided.dead:
            raise RuntimeError(f"{len(decided.dead)} of {len(records)} events were refused")
        # What RocksDB's own threads did between two slices is in it as well.
        before_s, ended_s = ended_s, time.process_time()
        connection.send(
            Used(
                (ended_s - before_s) / len(records) * 1e6,
                (decided_s - began_s) / len(records) * 1e6,
                (committed_s - decided_s) / len(records) * 1e6,
            )
        )
    store.close()
