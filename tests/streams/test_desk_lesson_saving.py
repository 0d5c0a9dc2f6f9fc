"""The feed saves its learners off the loop and begins with what it finds."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from models.learning import Learners
from schemas.codec import encode
from schemas.errors import UnavailableError
from streams.desk import lessons
from streams.desk.checkpoints import Checkpoints
from streams.desk.lessons import LessonFeed
from streams.settings import KafkaSettings

EVERY = 5


class Quiet:
    """Digests that agree with everybody."""

    must_rebuild = False
    resting = False
    departure = None

    def begin(self, learners: Learners) -> bool:
        return False

    def close(self, learners: Learners) -> None:
        pass

    def passes(self, before: int, after: int) -> bool:
        return False


def feed(path: Path, lesson_count: int = 0) -> LessonFeed:
    checkpoints = Checkpoints(path / "learners", None, 3, "w")
    made = LessonFeed(
        KafkaSettings(bootstrap="127.0.0.1:1"),
        checkpoints,
        EVERY,
        Quiet(),  # type: ignore[arg-type]
    )
    for offset in range(lesson_count):
        made._waiting.put((offset, encode({"no": offset})))
    return made


def kept(path: Path) -> list[int]:
    paths = Checkpoints(path / "learners", None, 3, "w").shelf.paths()
    return [int(each.name.partition("-")[0]) for each in paths]


async def saved(made: LessonFeed) -> None:
    assert made._saving is not None
    await made._saving


async def test_lessons_wait_while_learners_are_saved_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, threads = threading.Event(), list[bool]()
    save = Checkpoints.save

    def slow(checkpoints: Checkpoints, learners: Learners) -> Path:
        threads.append(threading.current_thread() is threading.main_thread())
        go_on.wait(10)
        return save(checkpoints, learners)

    monkeypatch.setattr(Checkpoints, "save", slow)
    made = feed(tmp_path, 12)
    assert made.apply(EVERY) == EVERY
    assert [made.apply(EVERY) for _ in range(3)] == [0, 0, 0]
    await asyncio.sleep(0)  # the loop goes round while the thread waits
    assert made.apply(EVERY) == 0
    go_on.set()
    await saved(made)
    assert made._arrived.is_set()
    assert made.apply(EVERY) == EVERY
    assert kept(tmp_path) == [EVERY]
    assert threads == [False]


async def test_nobody_learns_on_once_the_feed_is_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition that is still being taken over may wait for a revision meanwhile."""
    go_on = threading.Event()
    save = Checkpoints.save

    def slow(checkpoints: Checkpoints, learners: Learners) -> Path:
        go_on.wait(10)
        return save(checkpoints, learners)

    monkeypatch.setattr(Checkpoints, "save", slow)
    made = feed(tmp_path, 4)
    assert made.apply(3) == 3
    closing = asyncio.create_task(made.close())
    await asyncio.sleep(0.05)
    assert made.apply(1) == 0
    go_on.set()
    await closing
    assert (kept(tmp_path), made.learners.revision) == ([3], 3)


async def test_learners_that_could_not_be_saved_are_saved_later(tmp_path: Path) -> None:
    (tmp_path / "learners").write_bytes(b"")  # a file in place of the directory
    made = feed(tmp_path, 12)
    made.apply(EVERY)
    made.apply(EVERY)
    await saved(made)
    assert (made.failed_count, made.saved_count) == (1, 0)
    assert made.apply(EVERY) == EVERY  # learning goes on
    assert made.apply(EVERY) == 2
    (tmp_path / "learners").unlink()
    assert made._saving is None  # not tried at every lesson
    made._retry_s = 0.0  # the time has come
    made.apply(EVERY)
    await saved(made)
    assert (made.failed_count, made.saved_count) == (1, 1)
    assert kept(tmp_path) == [12]


@pytest.mark.parametrize("on_log", [True, False])
async def test_feed_begins_with_a_checkpoint_of_its_log_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_log: bool
) -> None:
    before = feed(tmp_path, EVERY)
    before.apply(EVERY)
    before.apply(EVERY)
    await saved(before)
    asked: list[Any] = []

    def is_on_log(_: Any, *place: Any) -> bool:
        asked.append(place)
        return on_log

    monkeypatch.setattr(lessons, "is_on_log", is_on_log)
    after = feed(tmp_path)
    await after.restore()
    assert asked == [("desk.lessons.v1", 0, EVERY, before.learners.lesson_digest)]
    assert after.learners.revision == after.seen_offset == (EVERY if on_log else 0)
    assert after._rebuilt is not on_log


async def test_feed_begins_at_the_first_lesson_where_the_broker_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = feed(tmp_path, EVERY)
    before.apply(EVERY)
    before.apply(EVERY)
    await saved(before)

    def away(*_: Any) -> bool:
        raise UnavailableError("the broker is away")

    monkeypatch.setattr(lessons, "is_on_log", away)
    after = feed(tmp_path)
    await after.restore()
    assert after.learners.revision == 0


async def test_leftovers_of_a_crash_are_removed_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "learners").mkdir()
    part = tmp_path / "learners" / "00000000000000000001-d-k.ckpt@w.part"
    part.write_bytes(b"half")
    await feed(tmp_path).restore()
    assert not part.exists()
