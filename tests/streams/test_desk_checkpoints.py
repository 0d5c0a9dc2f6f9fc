import hashlib
import hmac
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from models.learning import Learners
from schemas.codec import encode
from streams.desk.checkpoints import MAGIC, SEAL_BYTES, Checkpoints

KEY = b"k" * 32


class Bomb:
    """Writes a file as soon as somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (self.path,)


def learned(lesson_count: int) -> Learners:
    learners = Learners()
    for offset in range(lesson_count):
        learners.fold(encode({"no": offset}), offset)
    return learners


def sealed(body: bytes, key: bytes | None) -> bytes:
    seal = hmac.new(key, body, hashlib.sha256) if key else hashlib.sha256(body)
    return MAGIC + seal.digest() + body


def bomb_body(path: Path, fingerprint: str | None = None) -> bytes:
    return (fingerprint or Learners.fingerprint()).encode() + b"\n" + pickle.dumps(Bomb(path))


@pytest.mark.parametrize("key", [None, KEY])
def test_newest_checkpoint_is_the_learners_that_were_saved(
    tmp_path: Path, key: bytes | None
) -> None:
    checkpoints = Checkpoints(tmp_path, key, 3)
    assert checkpoints.newest() is None
    checkpoints.save(learned(2))
    learners = learned(10)
    checkpoints.save(learners)
    loaded = Checkpoints(tmp_path, key, 3).newest()
    assert loaded is not None
    assert (loaded.revision, loaded.digest) == (10, learners.digest)
    assert loaded.content_digest() == learners.content_digest()


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, None, 2)
    paths = [checkpoints.save(learned(count)) for count in (1, 9, 10, 100)]
    assert sorted(tmp_path.iterdir()) == sorted(paths[-2:])


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "truncated": lambda raw: raw[: len(raw) // 2],
    "only_head": lambda raw: raw[: len(MAGIC) + SEAL_BYTES],
    "longer": lambda raw: raw + b"x",
    "magic": lambda raw: flipped(raw, 0),
    "seal": lambda raw: flipped(raw, len(MAGIC)),
    "fingerprint": lambda raw: flipped(raw, len(MAGIC) + SEAL_BYTES),
    "pickle": lambda raw: flipped(raw, len(raw) - 5),
}


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_checkpoint_is_passed_over_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, key: bytes | None
) -> None:
    checkpoints = Checkpoints(tmp_path, key, 3)
    checkpoints.save(learned(1))
    newest = checkpoints.save(learned(2))
    newest.write_bytes(DAMAGE[damage](newest.read_bytes()))
    opened: list[int] = []
    loads = pickle.loads
    monkeypatch.setattr("pickle.loads", lambda raw: opened.append(len(raw)) or loads(raw))
    loaded = checkpoints.newest()
    assert loaded is not None
    assert loaded.revision == 1
    assert len(opened) == 1


def test_bomb_is_live_where_the_seal_is_right(tmp_path: Path) -> None:
    """The tests below would fail if a refused checkpoint were unpickled."""
    trace = tmp_path / "trace"
    (tmp_path / "1-a.ckpt").write_bytes(sealed(bomb_body(trace), KEY))
    assert Checkpoints(tmp_path, KEY, 3).newest() is None
    assert trace.exists()


@pytest.mark.parametrize(("sealed_with", "read_with"), [(b"evil", KEY), (None, KEY), (KEY, None)])
def test_checkpoint_under_another_key_is_not_unpickled(
    tmp_path: Path, sealed_with: bytes | None, read_with: bytes | None
) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "1-a.ckpt").write_bytes(sealed(bomb_body(trace), sealed_with))
    assert Checkpoints(tmp_path, read_with, 3).newest() is None
    assert not trace.exists()


def test_checkpoint_of_other_code_is_not_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "1-a.ckpt").write_bytes(sealed(bomb_body(trace, "0" * 32), KEY))
    assert Checkpoints(tmp_path, KEY, 3).newest() is None
    assert not trace.exists()


def test_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, None, 3)
    checkpoints.save(learned(1))
    (tmp_path / "99999999999999999999-x.part").write_bytes(b"half")
    loaded = checkpoints.newest()
    assert loaded is not None
    assert loaded.revision == 1
