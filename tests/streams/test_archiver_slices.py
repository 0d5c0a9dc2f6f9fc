"""Which slices of the journal the archiver takes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from embedded_log import until

from schemas.codec import encode
from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.archiver.archiver import BACKLOG, Archiver
from streams.archiver.notes import Note
from streams.archiver.stretch import Stretch
from streams.intake.batches import Raw, Slice
from streams.journal.acceptance import Reading
from streams.settings import ArchiverSettings, KafkaSettings, Settings


class Archived:
    """An archiver that owns journal partition 0 at offset 3 and never inserts by itself."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.restarted: list[tuple[Any, ...]] = []
        self.halts: list[BaseException] = []
        settings = Settings(
            state_dir=directory,
            kafka=KafkaSettings(bootstrap="127.0.0.1:1"),
            archiver=ArchiverSettings(flush_rows=10**6, flush_interval_ms=10**9),
        )
        nowhere: Any = None
        self.role = Archiver(settings, nowhere, lambda batch: asyncio.sleep(0), self.halts.append)
        self.role._generation = self.role._begun = 2
        self.stretch = Stretch(JOURNAL.name, 0, 3, Note(Reading(1, "w", 0)))
        self.role._stretches = {(JOURNAL.name, 0): self.stretch}
        self.role._used_at_s = float("inf")  # nor asks a warehouse that is not there
        monkeypatch.setattr(self.role.intake, "start", lambda *at: self.restarted.append(at))

    async def read(self, first: int, number: int, generation: int = 2) -> None:
        ends = {JOURNAL.name: first + 1}
        records = [record(first, number)]
        await self.role.process([Slice(0, generation, {JOURNAL.name: first}, ends, records, None)])

    def numbers(self) -> list[int]:
        return [
            number
            for name, columns in self.stretch.rows.tables()
            if name == "journal_entries"
            for number in columns["number"]
        ]


def record(offset: int, number: int) -> Raw:
    content = {
        "kind": "dead",
        "epoch": 1,
        "writer": "w",
        "number": number,
        "source": {"topic": "t", "partition": 0, "offset": offset, "published_ms": 1},
        "error": {"class": "MalformedError", "stage": "decode", "message": "no"},
        "bytes": 1,
        "decided_ms": 2,
    }
    return Raw(1, JOURNAL.name, offset, None, encode(content))


@pytest.fixture
def archived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archived:
    return Archived(tmp_path, monkeypatch)


async def test_archiver_takes_only_what_continues_its_range(archived: Archived) -> None:
    await archived.read(4, 1)  # what stood at 3 was lost on the way
    assert archived.numbers() == []
    assert archived.restarted == [(0, 2, {JOURNAL.name: 3})]
    await archived.read(3, 1)
    await archived.read(3, 2)  # the same place once more
    await archived.read(4, 2)
    assert archived.numbers() == [1, 2]
    assert archived.stretch.end == 5
    assert archived.halts == []


async def test_archiver_drops_an_older_assignment(archived: Archived) -> None:
    await archived.read(3, 1, generation=1)
    assert (archived.numbers(), archived.restarted) == ([], [])
    await archived.read(3, 1)
    assert archived.numbers() == [1]


class Away:
    """A warehouse that never answers."""

    def write(self, *arguments: Any, **more: Any) -> Any:
        raise UnavailableError("away", 0.01)


async def test_what_follows_an_insert_that_was_given_up_is_not_noted(
    archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[int, int | None]] = []

    async def call(work: Any) -> None:
        class Group:
            def commit(self, offsets: Any, asynchronous: bool) -> None:
                noted.extend(
                    (each.offset, Note.from_token(each.metadata).open_end) for each in offsets
                )

        work(Group())

    role: Any = archived.role
    monkeypatch.setattr(role.intake, "call", call)
    role._sink = Away()
    role._settings = role._settings.model_copy(update={"archiver": ArchiverSettings(flush_rows=1)})
    await archived.read(3, 1)
    await until(lambda: role.status()["waiting_for"] is not None)
    await archived.read(4, 2)
    await role._revoked({0})
    await archived.read(5, 3)
    await asyncio.sleep(0.05)
    role._generation = 3  # another assignment has come, but its positions are not known yet
    await archived.read(5, 3, generation=3)
    await asyncio.sleep(0.05)
    assert noted == [(3, 4)]
    assert archived.halts == []


async def test_records_behind_an_open_range_hold_the_reader_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived = Archived(tmp_path, monkeypatch)
    limit = 10
    archived.role._settings = archived.role._settings.model_copy(
        update={"archiver": ArchiverSettings(flush_rows=limit, flush_interval_ms=10**9)}
    )
    note = Note(Reading(1, "w", 0), 10**6, 1, "digest")  # a range that is not read to its end
    behind = Stretch(JOURNAL.name, 0, 3, note)
    behind._later = [record(10**6 + n, n) for n in range(BACKLOG * limit)]
    archived.role._stretches = {(JOURNAL.name, 0): behind}
    away = archived.role._insertion = asyncio.create_task(asyncio.sleep(3_600))  # of another place
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(archived.read(3, 1), 0.2)
    del behind._later[limit:]
    await asyncio.wait_for(archived.read(4, 2), 5.0)
    away.cancel()
