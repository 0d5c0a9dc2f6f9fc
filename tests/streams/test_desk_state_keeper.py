import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desk_bench import Bench
from desk_events import CUSTOMERS, PARTITION, event, raw

from streams.desk import state_keeper
from streams.desk.partition import Partition
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.state_keeper import StateKeeper
from streams.desk.store import PartitionStore


class Keeping:
    """A partition that decides, and its keeper."""

    def __init__(self, path: Path, every_s: float = 0.001) -> None:
        self.path = path
        self.bench = Bench(path / "store" / "1")
        self.partitions: dict[int, Partition] = {PARTITION: self.bench.partition}
        self.checkpoints = StateCheckpoints(path / "shared", None, 3, "w")
        self.keeper = StateKeeper(self.checkpoints, every_s, self.partitions)
        self._offset = 0

    def decide(self) -> None:
        name = f"t{self._offset}"
        self.bench.take(raw("transaction", self._offset, event("transaction", name, 1)))
        self._offset += 1

    def saved(self) -> list[int]:
        paths = self.checkpoints.shelf(PARTITION).paths()
        return [int(path.name.partition("-")[0]) for path in paths]

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.path / "store").iterdir())


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    assert CUSTOMERS
    return Keeping(tmp_path)


async def test_keeper_saves_what_was_decided_since(keeping: Keeping) -> None:
    await keeping.keeper.look()
    assert keeping.saved() == []  # nothing was decided
    for _ in range(5):
        await asyncio.sleep(0.002)
        keeping.decide()
        await keeping.keeper.look()
    await asyncio.sleep(0.002)
    await keeping.keeper.look()  # nothing new
    assert keeping.keeper.saved_count == 5
    assert keeping.saved() == [7, 6, 5]
    assert keeping.keeper.saved_at(PARTITION) == 7
    assert keeping.left() == ["1"]


async def test_keeper_waits_its_time_whoever_saved_last(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path, every_s=900.0)
    keeping.decide()
    await keeping.keeper.look()
    assert keeping.saved() == [3]  # there was none
    keeping.decide()
    await keeping.keeper.look()
    another = StateKeeper(keeping.checkpoints, 900.0, keeping.partitions)
    await another.look()
    assert keeping.saved() == [3]
    (path,) = keeping.checkpoints.shelf(PARTITION).paths()
    os.utime(path, (time.time() - 901, time.time() - 901))
    after_restart = StateKeeper(keeping.checkpoints, 900.0, keeping.partitions)
    await after_restart.look()
    assert keeping.saved() == [4, 3]


async def test_keeper_holds_the_loop_for_the_links_only(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, bool] = {}

    def noting(owner: type, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def noted(*args: Any) -> Any:
            threads[name] = threading.current_thread() is threading.main_thread()
            return original(*args)

        monkeypatch.setattr(owner, name, noted)

    for owner, name in (
        (PartitionStore, "flush"),
        (PartitionStore, "snapshot"),
        (StateCheckpoints, "save"),
    ):
        noting(owner, name)
    keeping.decide()
    await keeping.keeper.look()
    assert threads == {"flush": False, "snapshot": True, "save": False}


async def test_keeper_tries_again_later_when_the_disk_fails(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    (keeping.path / "shared").write_bytes(b"")  # a file in place of the directory
    keeping.decide()
    await keeping.keeper.look()
    assert (keeping.keeper.saved_count, keeping.keeper.failed_count) == (0, 1)
    assert keeping.left() == ["1"]
    (keeping.path / "shared").unlink()
    keeping.decide()  # the desk goes on
    await asyncio.sleep(0.002)
    await keeping.keeper.look()
    assert keeping.saved() == [4]


async def test_keeper_leaves_what_was_let_go_meanwhile(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.decide()
    prepare = state_keeper._prepare

    def let_go(store: PartitionStore, snapshot: Path) -> None:
        prepare(store, snapshot)
        keeping.partitions.clear()
        store.close()

    monkeypatch.setattr(state_keeper, "_prepare", let_go)
    await keeping.keeper.look()
    assert keeping.saved() == []
    assert keeping.keeper.failed_count == 0
    await keeping.keeper.look()
    assert keeping.keeper.saved_at(PARTITION) is None


async def test_keeper_survives_a_store_that_is_closed(keeping: Keeping) -> None:
    keeping.decide()
    keeping.bench.store.close()
    await keeping.keeper.look()
    assert keeping.keeper.failed_count == 1


async def test_keeper_that_is_closed_gives_up_what_it_writes(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    save = StateCheckpoints.save

    def slow(*args: Any) -> Path:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)
        return save(*args)

    monkeypatch.setattr(StateCheckpoints, "save", slow)
    monkeypatch.setattr(state_keeper, "LOOK_EVERY_S", 0.001)
    keeping.decide()
    keeping.keeper.open()
    await begun.wait()
    closing = asyncio.create_task(keeping.keeper.close())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    assert keeping.keeper.failed_count == 1
    assert keeping.saved() == []
    assert keeping.left() == ["1"]
