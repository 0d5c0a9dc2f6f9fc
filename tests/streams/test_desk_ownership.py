"""What a worker waits for before it decides on a partition that it was given."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_bench import CLOCK_MS, Bench
from desk_events import PARTITION, PARTITION_COUNT, event, raw

from models.learning import Learners
from schemas.registry import TRANSACTIONS
from streams.desk.cache import CacheBudget
from streams.desk.desk import Desk
from streams.settings import KafkaSettings, Settings

PATIENCE_S = 10.0


class ScriptedFeed:
    """Lessons that come when the test says."""

    def __init__(self) -> None:
        self.learners = Learners()
        self.asked = asyncio.Event()
        self.arrived = asyncio.Event()

    async def reach(self, revision: int, wanted: Callable[[], bool]) -> None:
        self.asked.set()
        await self.arrived.wait()
        while self.learners.revision < revision:
            self.learners.fold(b"{}", self.learners.revision)


class ScriptedIntake:
    generation = 1

    def __init__(self, learners: Learners) -> None:
        self.learners = learners
        self.started: list[tuple[int, int, dict[str, int]]] = []
        self.revisions: list[int] = []

    def start(self, partition: int, generation: int, positions: dict[str, int]) -> None:
        self.started.append((partition, generation, positions))
        self.revisions.append(self.learners.revision)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "store")
    for offset in range(3):
        made.learners.fold(b"{}", offset)
    made.take(raw("transaction", 0, event("transaction", "t1", 1)))
    yield made
    made.store.close()


async def test_partition_is_read_from_its_fold_once_the_learners_know_its_revision(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert bench.store.position.revision == 3
    feed: Any = ScriptedFeed()
    intake: Any = ScriptedIntake(feed.learners)
    halts: list[BaseException] = []
    monkeypatch.setattr(
        "streams.desk.ownership.take_over",
        lambda *args, **more: (bench.partition.identity, bench.store),
    )
    settings = Settings(state_dir=tmp_path, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
    owned = Desk(
        settings, PARTITION_COUNT, lambda: CLOCK_MS, lambda batch: asyncio.sleep(0), halts.append
    )._owned
    owned._feed, owned._intake = feed, intake
    owned.take(PARTITION, 1)
    asked = asyncio.create_task(feed.asked.wait())
    (task,) = owned._tasks
    await asyncio.wait({asked, task}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    assert intake.started == []  # these learners know less than those that decided before
    feed.arrived.set()
    await asyncio.wait_for(task, PATIENCE_S)
    assert (intake.started, intake.revisions) == ([(PARTITION, 1, {TRANSACTIONS.name: 1})], [3])
    assert list(owned.partitions) == [PARTITION]
    assert halts == []


async def test_all_partitions_of_a_worker_share_one_budget_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[CacheBudget] = []

    def unwanted(*args: Any, budget: CacheBudget, **more: Any) -> None:
        given.append(budget)

    monkeypatch.setattr("streams.desk.ownership.take_over", unwanted)
    settings = Settings(state_dir=tmp_path, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
    owned = Desk(
        settings, PARTITION_COUNT, lambda: CLOCK_MS, lambda batch: asyncio.sleep(0), pytest.fail
    )._owned
    owned._intake.generation = 1
    for number in range(2):
        owned.take(number, 1)
    await asyncio.wait(owned._tasks, timeout=PATIENCE_S)
    one, another = given
    assert one is another
