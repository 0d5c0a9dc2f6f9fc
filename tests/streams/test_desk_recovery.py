import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_bench import Bench
from desk_events import CUSTOMERS, PARTITION, event, raw

from schemas.codec import digest_bytes
from streams.desk import recovery, state_checkpoints
from streams.desk.recovery import recover
from streams.desk.sealed import LENGTH_BYTES, MAGIC, SEAL_BYTES, SealedReader, SealedWriter
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.store import FORMAT, PartitionStore
from streams.intake.batches import Raw
from streams.journal.fold import fold
from streams.journal.reader import Entry
from streams.kafka import Consumer

KEY = b"k" * 32
HEADER_AT = len(MAGIC) + SEAL_BYTES + LENGTH_BYTES


def payment(offset: int) -> Raw:
    return raw("transaction", offset, event("transaction", f"t{offset}", offset, CUSTOMERS[0]))


def contents(store: PartitionStore) -> dict[bytes, bytes]:
    return {bytes(key): bytes(value) for key, value in store._db.items()}


class Site:
    """A worker with a store, a shared directory of checkpoints, and a log to compare with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bench = Bench(path / "here" / "1")
        self.opened: list[PartitionStore] = [self.bench.store]
        self.key: bytes | None = KEY
        self.now = 0
        for offset in range(2):
            self.bench.take(payment(2 * offset), payment(2 * offset + 1))
            self.bench.take(raw("ticket", offset, event("ticket", f"k{offset}", offset)))

    def checkpoints(self, worker: str = "w") -> StateCheckpoints:
        return StateCheckpoints(self.path / "shared", self.key, 3, worker)

    def save(self, partition: int = PARTITION, strip: str = "") -> Path:
        store = self.bench.store
        snapshot = self.path / "here" / "1.snapshot"
        store.flush()
        position = store.snapshot(snapshot)
        for path in snapshot.glob(strip) if strip else ():
            path.unlink()
        try:
            return self.checkpoints().save(partition, snapshot, position)
        finally:
            shutil.rmtree(snapshot)

    def save_two(self) -> tuple[Path, Path]:
        """An older and a newer one."""
        older = self.save()
        self.bench.take(payment(4), payment(5))
        return older, self.save()

    def recover(self, where: str = "elsewhere", partition: int = PARTITION) -> PartitionStore:
        store = PartitionStore(self.path / where / "1")
        self.opened.append(store)
        consumer: Consumer = None  # type: ignore[assignment]  # the log is the bench's
        found = recover(store, self.checkpoints("another"), consumer, partition, lambda: True)
        self.opened.append(found)
        names = sorted(path.name for path in (self.path / where).iterdir())
        assert names == ["1"]  # nothing half-restored beside it
        assert found.budget is store.budget  # what the worker may keep in memory is one number
        return found

    def fold_on(self, store: PartitionStore) -> None:
        """What a takeover does then."""
        position = store.position
        for offset, value in list(enumerate(self.bench.journal))[position.journal_next :]:
            position = fold(Entry(offset, 0, None, value), store, position)
        store.commit(position)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site(tmp_path)

    def is_on_log(_: Any, topic: str, partition: int, next_offset: int, digest: str) -> bool:
        journal = site.bench.journal
        return 0 < next_offset <= len(journal) and (
            digest_bytes(journal[next_offset - 1]) == digest
        )

    monkeypatch.setattr(recovery, "is_on_log", is_on_log)
    yield site
    for store in site.opened:
        store.close()


# -- what it is for -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, KEY])
def test_state_is_restored_elsewhere_byte_for_byte_and_goes_on(
    site: Site, key: bytes | None
) -> None:
    site.key = key
    site.save()
    here = site.bench.store
    there = site.recover()
    assert there.origin == "checkpoint"
    assert there.position == here.position
    assert contents(there) == contents(here)
    site.bench.take(payment(4), payment(5))
    site.bench.take(raw("feedback", 0, event("feedback", "t4", 9)))
    site.fold_on(there)
    assert there.began_at < there.position.journal_next
    assert contents(there) == contents(here)
    assert len(contents(there)) > 10


def test_snapshot_holds_still_while_the_store_goes_on(site: Site) -> None:
    before = contents(site.bench.store)
    store, snapshot = site.bench.store, site.path / "here" / "1.snapshot"
    store.flush()
    position = store.snapshot(snapshot)
    site.bench.take(payment(4), payment(5))
    site.checkpoints().save(PARTITION, snapshot, position)
    there = site.recover()
    assert contents(there) == before


def test_without_a_checkpoint_the_store_stays(site: Site) -> None:
    store = site.recover()
    assert store.origin == "log"
    assert store.position.journal_next == 0


def test_store_that_is_hardly_behind_is_not_replaced(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.save()
    site.recover().close()
    site.bench.take(payment(4), payment(5))
    newer = site.save()
    store = site.recover()
    assert (store.origin, store.position.journal_next) == ("store", store.began_at)
    store.close()
    monkeypatch.setattr(recovery, "NEAR_RECORDS", 1)
    monkeypatch.setattr(recovery, "RECORD_BYTES", newer.stat().st_size // 2)
    assert site.recover().origin == "store"
    site.opened[-1].close()
    monkeypatch.setattr(recovery, "RECORD_BYTES", newer.stat().st_size)
    store = site.recover()
    assert store.origin == "checkpoint"
    assert contents(store) == contents(site.bench.store)


@pytest.mark.parametrize("name", ["", "99999999999999999999-a-b.ckpt"], ids=["plain", "lies"])
def test_checkpoint_behind_the_store_is_left_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = site.save()
    path.rename(path.with_name(name or path.name))
    site.bench.take(payment(4))
    site.bench.store.close()
    store = site.recover("here")
    assert store.origin == "store"
    assert store.position.journal_next == len(site.bench.journal)


# -- what is refused ------------------------------------------------------------------------------


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "only_head": lambda data: data[:HEADER_AT],
    "longer": lambda data: data + b"x",
    "magic": lambda data: flipped(data, 0),
    "seal": lambda data: flipped(data, len(MAGIC)),
    "long_header": lambda data: flipped(data, HEADER_AT - LENGTH_BYTES),
    "header": lambda data: flipped(data, HEADER_AT + 40),
    "first_file": lambda data: flipped(data, len(data) // 2),
    "last_file": lambda data: flipped(data, len(data) - 1),
}


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_checkpoint_gives_way_to_the_next_older(
    site: Site, damage: str, key: bytes | None
) -> None:
    site.key = key
    older, newer = site.save_two()
    newer.write_bytes(DAMAGE[damage](newer.read_bytes()))
    store = site.recover()
    assert store.origin == "checkpoint"
    assert store.position.journal_next == int(older.name.partition("-")[0])
    site.fold_on(store)
    assert contents(store) == contents(site.bench.store)


def test_where_all_checkpoints_are_damaged_the_journal_is_folded(site: Site) -> None:
    for path in site.save_two():
        path.write_bytes(path.read_bytes()[:-1])
    store = site.recover()
    assert store.origin == "log"
    site.fold_on(store)
    assert contents(store) == contents(site.bench.store)


@pytest.mark.parametrize(("sealed_with", "read_with"), [(b"evil", KEY), (None, KEY), (KEY, None)])
def test_checkpoint_under_another_key_is_refused(
    site: Site, sealed_with: bytes | None, read_with: bytes | None
) -> None:
    site.key = sealed_with
    site.save()
    site.key = read_with
    assert site.recover().origin == "log"


def test_checkpoint_of_another_partition_is_refused(site: Site) -> None:
    path = site.save()
    other = path.parents[1] / "2" / path.name
    other.parent.mkdir()
    shutil.copy(path, other)
    assert site.recover(partition=2).origin == "log"
    assert site.recover("third").origin == "checkpoint"


@pytest.mark.parametrize("what", ["FORMAT", "CORE_VERSION"])
def test_checkpoint_of_another_version_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as other:
        other.setattr(state_checkpoints, what, "other")
        site.save()
    assert site.recover().origin == "log"


def test_checkpoint_of_another_log_is_refused(site: Site) -> None:
    site.save()
    site.bench.journal[-1] += b" "
    assert site.recover().origin == "log"


def test_checkpoint_ahead_of_the_log_is_refused(site: Site) -> None:
    site.save()
    del site.bench.journal[-1]
    assert site.recover().origin == "log"


def test_checkpoint_with_a_file_missing_is_refused(site: Site) -> None:
    older = site.save()
    site.bench.take(payment(4), payment(5))
    site.save(strip="*.sst")
    store = site.recover()
    assert store.position.journal_next == int(older.name.partition("-")[0])


def forged(site: Site, changes: dict[str, Any], payload: bytes = b"") -> Path:
    """A checkpoint with the right seal and a wrong header."""
    position = site.bench.store.position
    header = {
        "kind": "state",
        "partition": PARTITION,
        "format": FORMAT,
        "core": state_checkpoints.CORE_VERSION,
        "journal_next": position.journal_next,
        "last_digest": position.last_digest,
        "files": [],
    }
    path = site.checkpoints().shelf(PARTITION).directory / "99999999999999999999-a-b.ckpt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = SealedWriter(file, KEY, header | changes)
        writer.write(payload)
        writer.finish()
    return path


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({}, "checkpoint"),
        ({"kind": "learners"}, "log"),
        ({"partition": PARTITION + 1}, "log"),
        ({"format": 0}, "log"),
        ({"core": "0"}, "log"),
        ({"journal_next": 3}, "log"),
        ({"last_digest": "0" * 32}, "log"),
    ],
)
def test_each_word_of_the_header_counts(site: Site, changes: dict[str, Any], origin: str) -> None:
    path = site.save()
    with path.open("rb") as file:
        reader = SealedReader(file, KEY)
        payload = reader.take_rest()
    with path.open("wb") as file:
        writer = SealedWriter(file, KEY, reader.header | changes)
        writer.write(payload)
        writer.finish()
    assert site.recover().origin == origin


@pytest.mark.parametrize(
    "name",
    ["../evil.sst", "/tmp/riverdesk-evil.sst", "evil", "a/000001.sst", "000001.sst\n", "..", ""],
)
def test_name_that_leads_elsewhere_is_refused(site: Site, name: str) -> None:
    forged(site, {"files": [[name, 4]]}, b"evil")
    before = sorted(site.path.rglob("*"))
    assert site.recover("here2").origin == "log"
    after = sorted(path for path in site.path.rglob("*") if "here2" not in path.parts)
    assert after == before
    assert not Path("/tmp/riverdesk-evil.sst").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "learners"},
        {"files": None},
        {"files": [["CURRENT"]]},
        {"files": [["CURRENT", -1]]},
        {"files": [["CURRENT", 2], ["CURRENT", 2]]},
        {"files": [["CURRENT", 2]]},
        {"files": [["CURRENT", 10**15]]},
    ],
)
def test_header_that_is_not_that_of_a_store_is_refused(site: Site, changes: dict[str, Any]) -> None:
    forged(site, changes, b"xxxx")
    assert site.recover().origin == "log"


def test_header_that_says_more_than_its_store_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, snapshot = site.bench.store, site.path / "here" / "1.snapshot"
    store.flush()
    store.snapshot(snapshot)
    site.bench.take(payment(4))
    site.checkpoints().save(PARTITION, snapshot, store.position)  # of later
    assert site.recover().origin == "log"


# -- when the disk fails --------------------------------------------------------------------------


def test_directory_that_is_a_file_is_as_if_empty(site: Site) -> None:
    (site.path / "shared").write_bytes(b"")
    assert site.recover().origin == "log"
    with pytest.raises(OSError, match="shared"):
        site.save()


def test_full_disk_leaves_the_store_as_it_was(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.save()

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(state_checkpoints, "_copy", full)
    assert site.recover().origin == "log"


def test_crash_in_the_middle_of_restoring_is_made_good(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.save()
    halfway = site.path / "elsewhere" / "1.restored"
    halfway.mkdir(parents=True)
    (halfway / "CURRENT").write_bytes(b"half")  # and the store was removed already
    store = site.recover()
    assert contents(store) == contents(site.bench.store)


def test_partition_that_is_not_wanted_any_more_is_not_restored(site: Site) -> None:
    path = site.save()
    into = site.path / "into"
    assert site.checkpoints().unpack(PARTITION, path, into, lambda: False) is None
    assert not into.exists()


def test_checkpoint_that_is_given_up_leaves_nothing(site: Site) -> None:
    store, snapshot = site.bench.store, site.path / "here" / "1.snapshot"
    position = store.snapshot(snapshot)
    with pytest.raises(InterruptedError):
        site.checkpoints().save(PARTITION, snapshot, position, lambda: False)
    assert not [path for path in (site.path / "shared").rglob("*") if path.is_file()]
