"""Takes a partition over: open the store, claim, fold until the claim is read back.

A claim with a greater epoch cuts off whoever wrote before: what a replaced owner writes after it
is ignored by every reader. So the fold up to the own claim is all that was ever decided.
"""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import structlog

from models import core as riverdesk
from models.verbs import Core
from schemas.codec import digest_bytes, encode
from schemas.errors import MalformedError, UnavailableError
from schemas.journal import JOURNAL_VERSION
from schemas.registry import JOURNAL
from streams.desk.cache import CacheBudget
from streams.desk.page import Identity
from streams.desk.recovery import recover
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.store import PartitionStore, remove
from streams.journal.fold import fold
from streams.journal.reader import read
from streams.journal.writer import Outgoing, Writer
from streams.kafka import Consumer, end_offset, make_consumer
from streams.settings import KafkaSettings

log = structlog.get_logger(__name__)

SAVE_EVERY_RECORDS = 5_000
STORE_PATIENCE_S = 15.0


def take_over(
    partition: int,
    partition_count: int,
    generation: int,
    *,
    path: Path,
    kafka: KafkaSettings,
    clock: Callable[[], int],
    core: Core = riverdesk,
    wanted: Callable[[], bool],
    budget: CacheBudget,
    folded: Callable[[int], None] = lambda journal_next: None,
    checkpoints: StateCheckpoints | None = None,
) -> tuple[Identity, PartitionStore] | None:
    """Own a partition; ``None`` if it is not wanted any more.

    Args:
        partition: The number.
        partition_count: Of the inputs and the journal.
        generation: Of the assignment that gave it to us.
        path: Where its store lies.
        kafka: The broker.
        clock: Milliseconds since the epoch.
        core: Folds the records.
        wanted: Whether the assignment still stands.
        budget: How many decoded values this worker's stores keep in memory, together.
        folded: Told, after each record, how far the journal is folded.
        checkpoints: From which a store that is missing or far behind is restored.

    Raises:
        UnavailableError: broker or store are away; try again.
        IncompatibleError: the journal has lost records that the fold needs.
    """
    started_at = time.monotonic()
    store = _open(path, wanted, budget)
    if store is None:
        return None
    consumer = make_consumer(kafka, group="riverdesk-desk-fold")
    writer = Writer(kafka)
    try:
        _verify(consumer, store, partition)
        if checkpoints is not None:
            store = recover(store, checkpoints, consumer, partition, wanted)
        start = store.position.journal_next
        end = end_offset(consumer, JOURNAL.name, partition)
        _fold_until(consumer, store, partition, end, core, wanted, folded)
        while wanted():
            epoch, name = store.position.reading.epoch + 1, uuid4().hex
            claim = {
                "v": JOURNAL_VERSION,
                "kind": "claim",
                "epoch": epoch,
                "writer": name,
                "at_ms": clock(),
            }
            (offset,) = writer.append_now([Outgoing(JOURNAL.name, partition, None, encode(claim))])
            _fold_until(consumer, store, partition, offset + 1, core, wanted, folded)
            reading = store.position.reading
            if (reading.epoch, reading.writer) == (epoch, name):
                log.info(
                    "partition_claimed",
                    partition=partition,
                    epoch=epoch,
                    number=reading.number,
                    began_with=store.origin,
                    folded_count=offset + 1 - start,
                    took_s=round(time.monotonic() - started_at, 3),
                )
                return Identity(partition, partition_count, generation, epoch, name), store
        store.close()
        return None
    except BaseException:
        store.close()
        raise
    finally:
        consumer.close()


def _open(path: Path, wanted: Callable[[], bool], budget: CacheBudget) -> PartitionStore | None:
    deadline = time.monotonic() + STORE_PATIENCE_S
    while wanted():
        try:
            return PartitionStore(path, budget=budget)
        except MalformedError as fault:
            log.warning("state_damaged", error=str(fault))
            remove(path)
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)  # a replaced owner on this machine is still closing it
    return None


def _verify(consumer: Consumer, store: PartitionStore, partition: int) -> None:
    """Empty a store whose last record is not the one on the log."""
    position = store.position
    if position.journal_next == 0:
        return
    at = position.journal_next - 1
    end = end_offset(consumer, JOURNAL.name, partition)
    stretch = read(consumer, JOURNAL.name, partition, at, min(at + 1, end))
    digests = [digest_bytes(entry.value) for entry in stretch]
    if digests != [position.last_digest]:
        log.warning("state_disagrees_with_log", partition=partition, journal_offset=at)
        store.wipe()


def _fold_until(
    consumer: Consumer,
    store: PartitionStore,
    partition: int,
    end: int,
    core: Core,
    wanted: Callable[[], bool],
    folded: Callable[[int], None],
) -> None:
    """Fold the journal below ``end``, or less where the partition is not wanted any more."""
    position, unsaved_count = store.position, 0
    for entry in read(consumer, JOURNAL.name, partition, position.journal_next, end):
        position = fold(entry, store, position, core)
        folded(position.journal_next)
        unsaved_count += 1
        if unsaved_count >= SAVE_EVERY_RECORDS:
            store.commit(position)
            unsaved_count = 0
            if not wanted():
                return
    if unsaved_count:
        store.commit(position)
