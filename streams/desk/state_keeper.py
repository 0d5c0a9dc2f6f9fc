"""Checkpoints the owned partitions, one at a time, while the desk goes on.

The loop is held for a millisecond or two, when the store's files are linked into a snapshot beside
it; flushing before and copying after happen in a thread (docs/recovery.md).
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from schemas.errors import UnavailableError
from streams.desk.partition import Partition
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.store import PartitionStore

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
RETRY_S = 60.0


@dataclass(slots=True)
class _Plan:
    """When a partition is next due.

    Args:
        partition: As it is owned now; after it was let go and taken again, another object.
        due_s: On the monotonic clock.
        saved_at: ``journal_next`` of the latest checkpoint that this worker made; -1 for none.
    """

    partition: Partition
    due_s: float
    saved_at: int = -1


class StateKeeper:
    """Makes checkpoints of what is owned, each so many seconds after the one before.

    Args:
        checkpoints: Where they go.
        every_s: Seconds between two of one partition, > 0.
        partitions: What is owned; others change it.
    """

    def __init__(
        self, checkpoints: StateCheckpoints, every_s: float, partitions: Mapping[int, Partition]
    ) -> None:
        self.saved_count = 0
        self.failed_count = 0
        self._checkpoints = checkpoints
        self._every_s = every_s
        self._partitions = partitions
        self._plans: dict[int, _Plan] = {}
        self._stopping = threading.Event()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop; a checkpoint that is being written is given up."""
        self._stopping.set()
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    def saved_at(self, number: int) -> int | None:
        """Give ``journal_next`` of the latest checkpoint that was made of a partition here."""
        plan = self._plans.get(number)
        return None if plan is None or plan.saved_at < 0 else plan.saved_at

    async def look(self) -> None:
        """Make the checkpoints that are due."""
        for number in self._plans.keys() - self._partitions.keys():
            del self._plans[number]
        for number, partition in list(self._partitions.items()):
            plan = self._plans.get(number)
            if plan is None or plan.partition is not partition:
                plan = await self._begin(number, partition)
            if time.monotonic() >= plan.due_s and not self._stop.is_set():
                await self._save(number, plan)

    async def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_EVERY_S)
                return
            await self.look()

    async def _begin(self, number: int, partition: Partition) -> _Plan:
        """Plan by the age of the newest checkpoint, whoever made it: restarts delay nothing."""
        age_s = await asyncio.to_thread(self._checkpoints.shelf(number).age_s)
        wait_s = 0.0 if age_s is None else max(0.0, self._every_s - age_s)
        plan = self._plans[number] = _Plan(partition, time.monotonic() + wait_s)
        return plan

    async def _save(self, number: int, plan: _Plan) -> None:
        store = plan.partition.store
        if store.position.reading.number == 0 or store.position.journal_next == plan.saved_at:
            plan.due_s = time.monotonic() + self._every_s
            return  # nothing was decided yet, or since
        started_s = time.monotonic()
        snapshot = store.path.with_name(f"{store.path.name}.snapshot")
        try:
            await asyncio.to_thread(_prepare, store, snapshot)
            if self._partitions.get(number) is not plan.partition:
                return  # let go meanwhile
            position = store.snapshot(snapshot)
            path = await asyncio.to_thread(
                self._checkpoints.save, number, snapshot, position, self._wanted
            )
        except (OSError, UnavailableError) as fault:
            self.failed_count += 1
            plan.due_s = time.monotonic() + min(RETRY_S, self._every_s)
            log.error("state_checkpoint_not_saved", partition=number, error=str(fault))
        else:
            self.saved_count += 1
            plan.saved_at = position.journal_next
            plan.due_s = started_s + self._every_s
            log.info(
                "state_checkpoint_saved",
                partition=number,
                path=path.name,
                took_s=round(time.monotonic() - started_s, 3),
            )
        finally:
            await asyncio.to_thread(shutil.rmtree, snapshot, ignore_errors=True)

    def _wanted(self) -> bool:
        return not self._stopping.is_set()


def _prepare(store: PartitionStore, snapshot: Path) -> None:
    shutil.rmtree(snapshot, ignore_errors=True)  # a crash left it
    store.flush()
