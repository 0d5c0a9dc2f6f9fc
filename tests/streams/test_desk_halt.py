import asyncio
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import IncompatibleError
from streams.desk.desk import Desk
from streams.desk.page import Identity
from streams.intake.batches import Slice
from streams.settings import KafkaSettings, Settings


class Owned:
    """A partition that cannot decide, and remembers what was asked of it."""

    identity = Identity(0, 1, 0, 1, "w")

    def __init__(self) -> None:
        self.decided_count = 0
        self.discarded_count = 0

    def continues(self, part: Slice) -> bool:
        return True

    def decide(self, *args: Any) -> None:
        self.decided_count += 1
        raise IncompatibleError("half decided")

    def rest(self, *args: Any) -> None:
        raise AssertionError("time passed after a fault")

    def discard(self) -> None:
        self.discarded_count += 1


@pytest.fixture
def halts() -> list[BaseException]:
    return []


async def test_desk_processes_nothing_after_a_fault(
    tmp_path: Path, halts: list[BaseException]
) -> None:
    settings = Settings(state_dir=tmp_path, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
    desk = Desk(settings, 1, lambda: 0, lambda batch: asyncio.sleep(0), halts.append)
    owned: Any = Owned()
    desk._owned.partitions[0] = owned
    records: Any = [object()]
    await desk.process([Slice(0, 0, {}, {}, records, None)])
    await desk.process([Slice(0, 0, {}, {}, records, None)])
    await desk.process([Slice(0, 0, {}, {}, [], None)])
    assert [str(fault) for fault in halts] == ["half decided"]
    assert owned.decided_count == 1
    assert owned.discarded_count == 1


async def test_late_revocation_keeps_what_the_next_assignment_gave(
    tmp_path: Path, halts: list[BaseException]
) -> None:
    settings = Settings(state_dir=tmp_path, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
    desk = Desk(settings, 2, lambda: 0, lambda batch: asyncio.sleep(0), halts.append)

    class Held(Owned):
        def __init__(self, number: int, generation: int) -> None:
            super().__init__()
            self.identity = Identity(number, 2, generation, 1, "w")
            self.store = self
            self.closed_count = 0

        def close(self) -> None:
            self.closed_count += 1

    old, new = Held(0, 1), Held(1, 3)
    owned: Any = {0: old, 1: new}
    desk._owned.partitions.update(owned)
    desk.intake.generation = 3
    await desk._revoked({0})
    assert list(desk._owned.partitions) == [1]
    assert (old.closed_count, new.closed_count) == (1, 0)
