"""The bench has a journal that every reader accepts, and takes its instants behind steps."""

import os
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import decode_json
from schemas.errors import UnavailableError
from sinks.projection import Rows
from streams.bench import registry
from streams.bench.rows import catch_up
from streams.bench.rows.backlog import Backlog
from streams.bench.rows.catch_up import watch
from streams.journal.acceptance import Reading


def test_backlog_is_one_journal_without_a_gap(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, events=40)
    reading, rows, ids = Reading(1, "w", 0), Rows(), set()
    wanted = 3 * len(backlog.records)
    for offset, raw in enumerate(backlog.journal(wanted)):
        record = decode_json(raw)
        after = reading.accept(record)
        assert after is not None
        reading = after
        rows.add_journal(record, partition=0, offset=offset, appended_ms=1)
        if record["kind"] == "transaction":
            ids.add(record["event_id"])
    assert reading.number == wanted
    (entries,) = (columns for name, columns in rows.tables() if name == "journal_entries")
    assert len(ids) == entries["kind"].count("transaction")


class Worker:
    """Takes one step at every third look."""

    name, pid = "archiver/w", 1

    def __init__(self, stops_at: int) -> None:
        self.alive = True
        self.looks = 0
        self.stops_at = stops_at

    def status(self) -> dict[str, Any]:
        self.looks += 1
        self.alive = self.looks < self.stops_at
        if self.looks == 1:
            raise UnavailableError("not yet")
        return {"done": 10 * (self.looks // 3)}

    def last_words(self) -> str:
        return "the end"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catch_up, "LOOK_EVERY_S", 0.001)


def done(status: dict[str, Any]) -> int:
    return int(status["done"])


@pytest.mark.usefixtures("quick")
def test_slope_goes_from_step_to_step_after_warm_up() -> None:
    worker: Any = Worker(1_000)
    worker.pid = os.getpid()
    slope, whole_s = watch(worker, done, 100, lambda status: 7 * done(status))
    assert slope.events == 7 * (90 - 20)
    assert 0 < slope.wall_s < whole_s


@pytest.mark.usefixtures("quick")
def test_worker_that_ends_is_told_with_its_last_words() -> None:
    worker: Any = Worker(10)
    with pytest.raises(UnavailableError, match="the end"):
        watch(worker, done, 1_000, done)


def test_measures_are_among_the_parts() -> None:
    assert {"archiver", "publisher"} <= set(registry.PLAIN)
