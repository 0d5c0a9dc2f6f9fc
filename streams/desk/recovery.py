"""Puts the newest checkpoint that verifies in the place of a store that is missing or far behind.

A checkpoint is believed when its seal is right, it is of this partition, format and core version,
its files open as a store that stands where the header says, and the log has, there, the record
that it folded last. The next older one is tried otherwise; with none of them the journal is folded
from where the store stands.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from schemas.errors import IncompatibleError, MalformedError, UnavailableError
from schemas.registry import JOURNAL
from streams.desk.state_checkpoints import Stand, StateCheckpoints
from streams.desk.store import PartitionStore, remove
from streams.journal.reader import is_on_log
from streams.kafka import Consumer

log = structlog.get_logger(__name__)

RECORD_BYTES = 25_000
"""So many bytes are restored in the time in which one record is folded (docs/recovery.md)."""

NEAR_RECORDS = 1_000
"""A store that is no further behind is folded on in any case."""


def recover(
    store: PartitionStore,
    checkpoints: StateCheckpoints,
    consumer: Consumer,
    partition: int,
    wanted: Callable[[], bool],
) -> PartitionStore:
    """Give the store to fold on from: this one, or one restored in its place.

    Args:
        store: Open, and in agreement with the log; closed where another takes its place.
        checkpoints: Of all partitions.
        consumer: For a look at the log.
        partition: The number.
        wanted: Whether the partition is still to be taken over.

    Raises:
        UnavailableError: the broker does not answer.
    """
    try:
        checkpoints.tidy(partition)
    except OSError as fault:
        log.warning("leftovers_stay", partition=partition, error=str(fault))
    found_at = store.position.journal_next
    for path in checkpoints.shelf(partition).paths():
        if not wanted():
            break
        if not _is_worth_it(path, found_at):
            continue
        try:
            restored = _restore(store, checkpoints, path, consumer, partition, wanted)
        except (MalformedError, OSError) as fault:
            log.warning(
                "checkpoint_refused", partition=partition, path=path.name, reason=str(fault)
            )
            continue
        if restored is not None:
            log.info(
                "state_restored",
                partition=partition,
                path=path.name,
                store_journal_next=found_at,
                journal_next=restored.position.journal_next,
            )
            return restored
    return store


def _is_worth_it(path: Path, found_at: int) -> bool:
    """Tell whether restoring takes less time than folding; the name is believed that far."""
    try:
        size_bytes = path.stat().st_size
    except OSError:
        return False
    offset = path.name.partition("-")[0]
    ahead_count = int(offset) - found_at if offset.isdigit() else 0
    if found_at == 0:
        return ahead_count > 0
    return ahead_count > NEAR_RECORDS and ahead_count * RECORD_BYTES > size_bytes


def _restore(
    store: PartitionStore,
    checkpoints: StateCheckpoints,
    path: Path,
    consumer: Consumer,
    partition: int,
    wanted: Callable[[], bool],
) -> PartitionStore | None:
    into = store.path.with_name(f"{store.path.name}.restored")
    shutil.rmtree(into, ignore_errors=True)
    try:
        stand = checkpoints.unpack(partition, path, into, wanted)
        if stand is None:
            return None
        if stand.journal_next <= store.position.journal_next:
            raise MalformedError("it stands no further than the store")
        if not is_on_log(consumer, JOURNAL.name, partition, *stand):
            raise MalformedError("its last record is not on this log")
        _check_opens(into, stand)
        store.close()
        remove(store.path)
        into.rename(store.path)
    finally:
        shutil.rmtree(into, ignore_errors=True)
    restored = PartitionStore(store.path, budget=store.budget)
    restored.origin = "checkpoint"
    return restored


def _check_opens(into: Path, stand: Stand) -> None:
    try:
        opened = PartitionStore(into, read_only=True)
    except (UnavailableError, IncompatibleError) as fault:
        raise MalformedError(str(fault)) from fault
    position = opened.position
    opened.close()
    if (position.journal_next, position.last_digest) != stand:
        raise MalformedError("its store does not stand where its header says")
