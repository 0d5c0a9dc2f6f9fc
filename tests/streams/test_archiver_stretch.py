from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import chain, decode_json, encode
from schemas.errors import IncompatibleError, MalformedError
from schemas.registry import JOURNAL
from streams.archiver.content import Content
from streams.archiver.notes import Note
from streams.archiver.stretch import Stretch
from streams.intake.batches import Raw
from streams.journal.acceptance import Reading


def claim(offset: int, epoch: int, writer: str = "w") -> Raw:
    return record(offset, {"kind": "claim", "epoch": epoch, "writer": writer})


def dead(offset: int, number: int, epoch: int = 1, writer: str = "w") -> Raw:
    content = {
        "kind": "dead",
        "epoch": epoch,
        "number": number,
        "writer": writer,
        "source": {"topic": "t", "partition": 0, "offset": offset, "published_ms": 1},
        "error": {"class": "MalformedError", "stage": "decode", "message": f"no. {number}"},
        "bytes": 1,
        "decided_ms": 2,
    }
    return record(offset, content)


def record(offset: int, content: dict[str, Any]) -> Raw:
    return Raw(10 + offset, JOURNAL.name, offset, None, encode(content))


LOG = [claim(0, 1), *(dead(n, n) for n in range(1, 9))]


def fill(stretch: Stretch, records: Sequence[Raw]) -> None:
    stretch.add(records)
    if records:
        stretch.read_up_to(records[-1].offset + 1)


def content(stretch: Stretch) -> Any:
    return stretch.range(), dict(stretch.rows.tables())


def fresh(start: int = 0, note: Note | None = None) -> Stretch:
    return Stretch(JOURNAL.name, 0, start, note or Note())


def test_open_range_is_cut_as_noted_and_the_rest_comes_after() -> None:
    before = fresh()
    fill(before, LOG[:5])
    start, note = before.open_note()
    noted = content(before)

    after = fresh(start, Note.from_token(note.token()))
    fill(after, LOG[:3])
    assert not after.due(1e9, 1, 0.0)  # not all of it is there
    fill(after, LOG[3:])
    assert after.due(0.0, 10**9, 1e9)  # at once, whatever the limits say
    assert content(after) == noted
    assert after.done_note() == (5, Note(Reading(1, "w", 4)))
    after = after.successor()
    assert (after.start, after.end) == (5, 9)
    whole = fresh(5, Note(Reading(1, "w", 4)))
    fill(whole, LOG[5:])
    assert content(after) == content(whole)
    assert not after.is_reopened


def test_open_range_with_other_content_is_refused() -> None:
    before = fresh()
    fill(before, LOG[:5])
    start, note = before.open_note()
    after = fresh(start, note)
    fill(after, [*LOG[:4], dead(4, 4, writer="other")])
    with pytest.raises(IncompatibleError):
        after.range()


def test_range_noted_by_an_earlier_version_is_recognised() -> None:
    values = [raw.value or b"" for raw in LOG[:5]]
    digest = ""
    for value in values:
        digest = chain(digest, value)
    stretch = fresh(0, Note(Reading(), 5, 8, digest))
    fill(stretch, LOG)
    assert stretch.range().digest == digest
    assert fresh(0, Note(Reading(), 0, 0, "")).range().digest == ""  # one without records
    after = stretch.successor().range()
    assert after.digest.startswith("2:")
    changed = fresh(0, Note(Reading(), 5, 8, digest))
    fill(changed, [*LOG[:4], dead(4, 4, writer="other")])
    with pytest.raises(IncompatibleError):
        changed.range()


VALUES = st.lists(st.binary(max_size=4), max_size=6)


@given(VALUES, VALUES, st.integers(0, 6))
def test_digest_names_the_records_however_they_are_cut(
    values: list[bytes], others: list[bytes], cut: int
) -> None:
    whole, parts, other = Content(), Content(), Content()
    whole.add(values)
    parts.add(values[:cut])
    parts.add(values[cut:])
    other.add(others)
    assert whole.digest() == parts.digest()
    assert (whole.digest() == other.digest()) == (values == others)


def test_stretch_is_due_by_rows_or_by_time() -> None:
    stretch = fresh()
    assert not stretch.due(1e9, 1, 0.0)
    fill(stretch, LOG[:3])
    assert stretch.due(0.0, stretch.rows.row_count, 1e9)
    assert not stretch.due(0.0, stretch.rows.row_count + 1, 1e9)
    assert stretch.due(1e9, 10**9, 1.0)


def test_late_writes_of_a_replaced_owner_make_no_rows() -> None:
    clean, dirty = fresh(), fresh()
    fill(clean, [claim(0, 1), dead(1, 1), claim(2, 2, "n"), dead(4, 2, 2, "n")])
    fill(dirty, [claim(0, 1), dead(1, 1), claim(2, 2, "n"), dead(3, 2), dead(4, 2, 2, "n")])
    assert dict(dirty.rows.tables()) == dict(clean.rows.tables())
    assert dirty.range().digest != clean.range().digest  # but the log is not the same


@given(
    chunks=st.lists(st.integers(1, 4), max_size=6),
    crash=st.sampled_from(["before", "noted", "inserted", "done"]),
    at=st.integers(0, 5),
)
def test_rows_are_the_same_whenever_the_archiver_dies(
    chunks: list[int], crash: str, at: int
) -> None:
    """Runs over the log in chunks, dies once at a step and goes on from the committed note."""
    table: dict[str, Any] = {}
    committed: tuple[int, Note] = (0, Note())
    died = False
    steps = [*chunks, 9]
    index = 0
    stretch = fresh()

    def dies(moment: str) -> bool:
        nonlocal died
        if died or crash != moment or index != at:
            return False
        died = True
        return True

    while index < len(steps):
        fill(stretch, LOG[stretch.end : stretch.end + steps[index]])
        index += 1
        if not stretch.due(1e9, 1, 0.0):
            continue
        steps_left = not dies("before")
        if steps_left:
            committed = stretch.open_note()
            steps_left = not dies("noted")
        if steps_left:
            source, rows = content(stretch)
            for name, columns in rows.items():
                table[source.token(name, stretch.rows.row_count)] = columns
            steps_left = not dies("inserted")
        if steps_left:
            committed = stretch.done_note()
            stretch = stretch.successor()
            steps_left = not dies("done")
        if not steps_left:
            start, note = committed
            stretch = fresh(start, Note.from_token(note.token()))
            steps += [9, 9]
    numbers = [
        n for token, rows in table.items() if "journal_entries" in token for n in rows["number"]
    ]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(numbers) == len(LOG) - 1
    assert stretch.start == len(LOG)


READINGS = st.builds(
    Reading, st.integers(0, 2**40), st.text("0123456789abcdef", max_size=32), st.integers(0, 2**40)
)
NOTES = st.builds(
    Note,
    READINGS,
    st.none() | st.integers(0, 2**60),
    st.integers(0, 2**40),
    st.text("0123456789abcdef:", max_size=34),
)


@given(NOTES)
def test_from_token_inverts_token(note: Note) -> None:
    token = note.token()
    assert Note.from_token(token) == note
    assert len(token.encode()) < 4_096  # Kafka's limit for a committed offset's metadata


@pytest.mark.parametrize("token", ["", "{}", "[]", "3", '["1:2:w",1]', '[1,2,3,"x"]', "nonsense"])
def test_from_token_refuses_what_is_no_note(token: str) -> None:
    with pytest.raises(MalformedError):
        Note.from_token(token)


def test_log_is_as_the_journal_writes_it() -> None:
    assert [decode_json(raw.value or b"")["epoch"] for raw in LOG] == [1] * len(LOG)
