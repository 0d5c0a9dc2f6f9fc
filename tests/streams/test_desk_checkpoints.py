import gc
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.learning import Learners
from schemas.codec import digest_bytes, encode
from schemas.errors import UnavailableError
from streams.desk import checkpoints as checkpointing
from streams.desk.checkpoints import Checkpoints
from streams.desk.sealed import LENGTH_BYTES, MAGIC, SEAL_BYTES, SealedWriter

KEY = b"k" * 32
HEADER_AT = len(MAGIC) + SEAL_BYTES + LENGTH_BYTES


class Bomb:
    """Writes a file as soon as somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (self.path,)


def lesson(offset: int) -> bytes:
    return encode({"no": offset})


def learned(lesson_count: int) -> Learners:
    learners = Learners()
    for offset in range(lesson_count):
        learners.fold(lesson(offset), offset)
    return learners


def on_this_log(revision: int, digest: str) -> bool:
    return digest_bytes(lesson(revision - 1)) == digest


def checkpoints(directory: Path, key: bytes | None = None, worker: str = "w") -> Checkpoints:
    return Checkpoints(directory, key, 3, worker)


def plant_bomb(directory: Path, trace: Path, key: bytes | None, **changes: Any) -> None:
    """A checkpoint whose header is right but for the changes, and whose pickle is a bomb."""
    learners = learned(1)
    header = {
        "kind": "learners",
        "fingerprint": Learners.fingerprint(),
        "revision": 1,
        "digest": learners.digest,
        "lesson_digest": learners.lesson_digest,
    }
    with (directory / "00000000000000000001-a-b.ckpt").open("wb") as file:
        writer = SealedWriter(file, key, header | changes)
        writer.write(pickle.dumps(Bomb(trace)))
        writer.finish()


@pytest.mark.parametrize("key", [None, KEY])
def test_newest_checkpoint_is_the_learners_that_were_saved(
    tmp_path: Path, key: bytes | None
) -> None:
    saved = checkpoints(tmp_path, key)
    assert saved.newest(on_this_log) is None
    saved.save(learned(2))
    learners = learned(10)
    saved.save(learners)
    loaded = checkpoints(tmp_path, key, "another").newest(on_this_log)
    assert loaded is not None
    assert (loaded.revision, loaded.digest) == (10, learners.digest)
    assert loaded.lesson_digest == learners.lesson_digest
    assert loaded.content_digest() == learners.content_digest()


def test_learners_of_a_checkpoint_learn_on_as_if_never_stopped(tmp_path: Path) -> None:
    checkpoints(tmp_path).save(learned(5))
    loaded = checkpoints(tmp_path).newest(on_this_log)
    assert loaded is not None
    for offset in range(5, 9):
        loaded.fold(lesson(offset), offset)
    whole = learned(9)
    assert (loaded.digest, loaded.content_digest()) == (whole.digest, whole.content_digest())


def test_learners_that_learn_while_they_are_saved_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners, pickled = learned(5), checkpointing._pickle

    def interrupted(each: Learners, writer: SealedWriter) -> None:
        pickled(each, writer)
        each.fold(lesson(5), 5)

    monkeypatch.setattr(checkpointing, "_pickle", interrupted)
    with pytest.raises(UnavailableError, match="learned on from 5"):
        checkpoints(tmp_path).save(learners)
    assert list(tmp_path.iterdir()) == []


def test_checkpoint_that_holds_other_weights_than_it_says_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = checkpoints(tmp_path)
    with monkeypatch.context() as patched:  # what was pickled is not what stood there before
        patched.setattr(Learners, "content_digest", lambda learners: "before")
        saved.save(learned(5))
    assert saved.newest(on_this_log) is None


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "truncated": lambda raw: raw[: len(raw) // 2],
    "only_head": lambda raw: raw[: len(MAGIC) + SEAL_BYTES],
    "longer": lambda raw: raw + b"x",
    "magic": lambda raw: flipped(raw, 0),
    "seal": lambda raw: flipped(raw, len(MAGIC)),
    "header_length": lambda raw: flipped(raw, HEADER_AT - 1),
    "long_header": lambda raw: flipped(raw, HEADER_AT - LENGTH_BYTES),
    "header": lambda raw: flipped(raw, HEADER_AT + 20),
    "pickle": lambda raw: flipped(raw, len(raw) - 5),
}


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_checkpoint_is_passed_over_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, key: bytes | None
) -> None:
    saved = checkpoints(tmp_path, key)
    saved.save(learned(1))
    newest = saved.save(learned(2))
    newest.write_bytes(DAMAGE[damage](newest.read_bytes()))
    opened: list[int] = []
    loads = pickle.loads
    monkeypatch.setattr("pickle.loads", lambda raw: opened.append(len(raw)) or loads(raw))
    loaded = saved.newest(on_this_log)
    assert loaded is not None
    assert loaded.revision == 1
    assert len(opened) == 1


def test_bomb_is_live_where_everything_is_right(tmp_path: Path) -> None:
    """The tests below would fail if a refused checkpoint were unpickled."""
    trace = tmp_path / "trace"
    plant_bomb(tmp_path, trace, KEY)
    assert checkpoints(tmp_path, KEY).newest(on_this_log) is None
    assert trace.exists()


@pytest.mark.parametrize(("sealed_with", "read_with"), [(b"evil", KEY), (None, KEY), (KEY, None)])
def test_checkpoint_under_another_key_is_not_unpickled(
    tmp_path: Path, sealed_with: bytes | None, read_with: bytes | None
) -> None:
    trace = tmp_path / "trace"
    plant_bomb(tmp_path, trace, sealed_with)
    assert checkpoints(tmp_path, read_with).newest(on_this_log) is None
    assert not trace.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"fingerprint": "0" * 32},
        {"kind": "state"},
        {"lesson_digest": "0" * 32},
        {"revision": 2},
    ],
    ids=["other_code", "other_kind", "other_log", "other_revision"],
)
def test_checkpoint_of_something_else_is_not_unpickled(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    trace = tmp_path / "trace"
    plant_bomb(tmp_path, trace, KEY, **changes)
    assert checkpoints(tmp_path, KEY).newest(on_this_log) is None
    assert not trace.exists()


def test_checkpoint_of_other_code_gives_way_to_an_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = checkpoints(tmp_path)
    saved.save(learned(1))
    with monkeypatch.context() as other:
        other.setattr(Learners, "fingerprint", staticmethod(lambda: "0" * 32))
        saved.save(learned(7))
    loaded = saved.newest(on_this_log)
    assert loaded is not None
    assert loaded.revision == 1


def test_checkpoint_of_another_log_is_not_believed(tmp_path: Path) -> None:
    learners = Learners()
    learners.fold(b'{"no": "other"}', 0)
    checkpoints(tmp_path).save(learners)
    assert checkpoints(tmp_path).newest(on_this_log) is None


def test_directory_that_cannot_be_read_is_as_if_empty(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000009-a-b.ckpt").mkdir()  # reading it raises an OSError
    assert checkpoints(tmp_path).newest(on_this_log) is None


def test_discarded_checkpoints_are_gone(tmp_path: Path) -> None:
    checkpoints(tmp_path).save(learned(1))
    checkpoints(tmp_path).discard()
    assert checkpoints(tmp_path).newest(on_this_log) is None


def test_other_threads_run_while_learners_are_pickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two writes of at most a frame each, other threads and not the collector run."""
    writes: list[tuple[int, bool]] = []
    write = SealedWriter.write

    def watched(writer: SealedWriter, data: Any) -> int:
        size = write(writer, data)
        writes.append((size, gc.isenabled()))
        return size

    monkeypatch.setattr(SealedWriter, "write", watched)
    learners = learned(0)
    for number in range(5_000):
        learners.knowledge.learn("t", f"terminal{number}", f"s{number}", False, number, number)
    checkpoints(tmp_path).save(learners)
    table = learners.category._weights
    arrays = max(array.nbytes for array in (*table.layers, table._row_of))
    assert len(writes) > 10
    assert all(size <= max(arrays, 70_000) for size, _ in writes)
    assert not any(collecting for _, collecting in writes[1:])
    assert gc.isenabled()


def test_full_disk_leaves_nothing_behind_and_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = checkpoints(tmp_path)
    saved.save(learned(1))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            saved.save(learned(2))
    assert len(list(tmp_path.iterdir())) == 1
    loaded = saved.newest(on_this_log)
    assert loaded is not None
    assert loaded.revision == 1
    saved.save(learned(2))
    loaded = saved.newest(on_this_log)
    assert loaded is not None
    assert loaded.revision == 2
