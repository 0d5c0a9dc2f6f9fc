"""Compares the stores of stopped desks with a fresh fold of the journal."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.codec import decode_json
from schemas.errors import MalformedError, UnavailableError
from schemas.registry import JOURNAL
from streams.chaos.verdict.logs import KafkaLogs, Logs
from streams.chaos.verdict.verdict import Findings, Kind, Verdict
from streams.desk.store import PartitionStore
from streams.journal.fold import fold
from streams.journal.reader import Entry
from streams.settings import Settings

WHERE = "stores"
COMMIT_RECORDS = 500
Item = tuple[bytes, bytes]


def compare_stores(
    settings: Settings, partition_count: int, directories: Iterable[Path]
) -> Verdict:
    """Compare every room and the agenda of each store with a fold of the journal.

    Call it after all desks have stopped; join the result: ``compare(…).joined(compare_stores(…))``.
    Of several stores of one partition (it moved between desks) each is compared at its own
    position, so those left behind must agree too. Damaged files that RocksDB notices are
    ``unconfirmed``: whoever opened them would fold anew.

    Args:
        settings: The broker.
        partition_count: Of the journal.
        directories: Those of the desks, ``settings.state_dir / worker``.

    Raises:
        UnavailableError: the broker does not answer for long.
        IncompatibleError: the journal has a gap, or a store is of another format.
    """
    with KafkaLogs(settings.kafka) as logs:
        return compare_with_fold(logs, partition_count, directories)


def compare_with_fold(logs: Logs, partition_count: int, directories: Iterable[Path]) -> Verdict:
    """Do the same with the journal read from anywhere."""
    findings = Findings()
    held = [each / "partitions" for each in directories]
    for partition in range(partition_count):
        opened = [
            store
            for each in held
            if (store := _opened(each / str(partition), findings)) is not None
        ]
        try:
            if opened:
                _compare_partition(logs, partition, opened, findings)
            else:
                findings.add("lost", WHERE, f"nobody has a store of partition {partition}")
        finally:
            for store in opened:
                store.close()
    return findings.verdict()


def _opened(path: Path, findings: Findings) -> PartitionStore | None:
    if not path.exists():
        return None
    try:
        return PartitionStore(path, read_only=True)
    except (MalformedError, UnavailableError) as fault:  # nobody can hold what is only looked at
        findings.add("unconfirmed", WHERE, str(fault))
        return None


def _compare_partition(
    logs: Logs, partition: int, stores: list[PartitionStore], findings: Findings
) -> None:
    """Fold once and stop wherever a store stands."""
    waiting = sorted(stores, key=lambda store: store.position.journal_next)
    with TemporaryDirectory(prefix="riverdesk-fold-") as directory:
        fresh = PartitionStore(Path(directory) / str(partition))
        position, count = fresh.position, 0
        try:
            for stood in logs.read(JOURNAL.name, partition):
                while waiting and waiting[0].position.journal_next <= stood.offset:
                    fresh.commit(position)
                    _compare(waiting.pop(0), fresh, findings)
                if not waiting:
                    return
                entry = Entry(stood.offset, stood.stamped_ms, stood.key, stood.value or b"")
                position = fold(entry, fresh, position)
                count += 1
                if count % COMMIT_RECORDS == 0:
                    fresh.commit(position)
            fresh.commit(position)
            for store in waiting:
                _compare(store, fresh, findings)
        finally:
            fresh.close()


def _compare(store: PartitionStore, fresh: PartitionStore, findings: Findings) -> None:
    if store.position != fresh.position:
        findings.add(
            "differing", WHERE, f"{store.path}: stands at {store.position}, not {fresh.position}"
        )
    try:
        _compare_items(store, fresh, findings)
    except MalformedError as fault:
        findings.add("unconfirmed", WHERE, str(fault))


def _compare_items(store: PartitionStore, fresh: PartitionStore, findings: Findings) -> None:
    for key, mine, right in _beside(store.items(), fresh.items()):
        findings.compared[WHERE] += 1
        if mine == right or (mine and right and decode_json(mine) == decode_json(right)):
            continue
        kind: Kind = "lost" if mine is None else "duplicated" if right is None else "differing"
        name = key[1:].decode(errors="replace").replace("\x00", "/")
        findings.add(kind, WHERE, f"{store.path}: {name}")


def _beside(
    left: Iterator[Item], right: Iterator[Item]
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Give each key of two ordered rows of items with what both have for it."""
    mine, other = next(left, None), next(right, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine[0] < other[0]):
            assert mine is not None
            yield mine[0], mine[1], None
            mine = next(left, None)
        elif mine is None or other[0] < mine[0]:
            yield other[0], None, other[1]
            other = next(right, None)
        else:
            yield mine[0], mine[1], other[1]
            mine, other = next(left, None), next(right, None)
