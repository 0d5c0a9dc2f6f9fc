import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from streams.desk.shelf import ABANDONED_S, SPARE_BYTES, Shelf


def holding(content: bytes) -> Callable[[BinaryIO], None]:
    def fill(file: BinaryIO) -> None:
        file.write(content)

    return fill


def put(shelf: Shelf, offset: int, kind: str = "k") -> Path:
    """Put a checkpoint there; each is a second newer than the one before."""
    path = shelf.put(offset, "d", kind, holding(b"x"))
    put.now += 1.0  # type: ignore[attr-defined]
    os.utime(path, (put.now, put.now))  # type: ignore[attr-defined]
    return path


put.now = time.time() - 1_000  # type: ignore[attr-defined]


def test_shelf_gives_the_greatest_offset_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "new" / "deeper", "w", 5)
    assert shelf.paths() == []
    assert shelf.age_s() is None
    nine, ten = put(shelf, 9), put(shelf, 10)
    assert shelf.paths() == [ten, nine]
    assert shelf.age_s() > 900  # type: ignore[operator]


def test_shelf_keeps_the_last_written_few(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "w", 2)
    paths = [put(shelf, offset) for offset in (1, 9, 10, 100)]
    assert shelf.paths() == paths[:1:-1]


def test_new_log_is_not_crowded_out_by_the_greater_offsets_of_an_old_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "w", 2)
    for offset in (10**6, 10**6 + 1):
        put(shelf, offset)
    new = [put(shelf, offset) for offset in (3, 4)]
    assert shelf.paths() == new[::-1]


def test_shelf_keeps_as_many_of_other_kinds_for_workers_of_another_version(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "w", 2)
    old = [put(shelf, offset, "old") for offset in (1, 2)]
    older = put(shelf, 3, "older")
    new = [put(shelf, offset, "new") for offset in (4, 5, 6)]
    assert set(shelf.paths()) == {old[1], older, *new[1:]}


def test_half_written_checkpoint_is_not_seen_and_tidied_away(tmp_path: Path) -> None:
    Shelf(tmp_path, "w", 3).put(1, "d", "k", holding(b"x"))
    leftover = tmp_path / "00000000000000000002-d-k.ckpt@w.part"
    at_work = tmp_path / "00000000000000000002-d-k.ckpt@another@w.part"
    abandoned = tmp_path / "00000000000000000003-d-k.ckpt@another.part"
    for path in (leftover, at_work, abandoned):
        path.write_bytes(b"half")
    long_ago = time.time() - ABANDONED_S - 1
    os.utime(abandoned, (long_ago, long_ago))
    shelf = Shelf(tmp_path, "w", 3)
    assert len(shelf.paths()) == 1
    shelf.tidy()
    assert not leftover.exists()
    assert not abandoned.exists()
    assert at_work.exists()


def test_checkpoint_is_not_seen_while_it_is_written(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "w", 3)
    seen: list[list[Path]] = []

    def slow(file: BinaryIO) -> None:
        file.write(b"half")
        file.flush()
        seen.append(shelf.paths())
        file.write(b" and half")

    path = shelf.put(1, "d", "k", slow)
    assert seen == [[]]
    assert shelf.paths() == [path]


def test_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path, "w", 3)

    def broken(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        shelf.put(1, "d", "k", broken)

    def refused(part: Path, path: Path) -> Path:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(OSError, match="read-only"):
        shelf.put(1, "d", "k", holding(b"x"))
    assert list(tmp_path.iterdir()) == []


def test_shelf_leaves_space_for_the_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=SPARE_BYTES + 99))
    shelf = Shelf(tmp_path, "w", 3)
    shelf.put(1, "d", "k", holding(b"x"), 99)
    with pytest.raises(OSError, match="no space"):
        shelf.put(2, "d", "k", holding(b"x"), 100)
    assert len(shelf.paths()) == 1


def test_shelf_where_a_file_is_in_the_way_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    shelf = Shelf(tmp_path / "file", "w", 3)
    assert shelf.paths() == []
    with pytest.raises(OSError, match="file"):
        put(shelf, 1)
