"""The archiver's protocol at small size: two archivers, one journal partition, two tables.

Notes are the product's own :class:`Note` and tokens those of its :class:`Range`. The warehouse
drops an insert whose token it knows, and collapses rows of one position when read with ``FINAL``.
``archivers[0]`` is the one that the partition is assigned to.
"""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.codec import chain
from sinks.sink import Range
from streams.archiver.notes import Note
from streams.journal.acceptance import Reading
from tests.protocol.journal import Record, mapping

MECHANISMS = {
    "note": "a range is noted before it is inserted, and repeated exactly",
    "done": "a range that is inserted is noted as done",
    "token": "an insert whose token is known is dropped",
    "content": "the token names the range and its content, not only its beginning",
    "key": "rows of one position collapse (FINAL)",
    "rule": "only records that the reader's rule accepts become rows",
    "reading": "the reading of the journal is kept with the note",
    "membership": "notes are taken only from a member of the present generation",
}

LOG = (
    Record("claim", 1, "w0", 0),
    Record("decision", 1, "w0", 1, "a", 0),
    Record("decision", 1, "gone", 2, "a", 1),  # of a replaced desk: void
    Record("decision", 1, "w0", 2, "a", 1),
)
ROWS = (1, 3)
TABLES = ("decisions", "features")
NAMES = ("the archiver", "the replaced archiver")


class Archiver(NamedTuple):
    """One worker; ``inserted``: how many tables have taken the range."""

    phase: str = "away"
    current: bool = False
    start: int = 0
    end: int = 0
    reading: Reading = Reading()
    noted: str = ""
    inserted: int = 0


class State(NamedTuple):
    """Everything."""

    archivers: tuple[Archiver, Archiver] = (Archiver(), Archiver())
    note: tuple[int, str] | None = None
    tokens: frozenset[str] = frozenset()
    rows: tuple[tuple[str, int], ...] = ()
    faults: int = 0
    rivals: bool = False
    """Two may have inserted at once, or notes were forgotten: only ``FINAL`` is exact."""
    broken: str | None = None


class ArchiverModel:
    """The model with some mechanisms switched off."""

    def __init__(self, faults: int, without: frozenset[str] = frozenset()) -> None:
        assert without <= set(MECHANISMS), without
        self._most = faults
        self._without = without

    def initial(self) -> State:
        return State()

    def violation(self, state: State) -> str | None:
        if state.broken is not None:
            return state.broken
        if any(offset not in ROWS for _, offset in state.rows):
            return "a row of a void record"
        if len(set(state.rows)) < len(state.rows):
            if "key" in self._without:
                return "a row twice, even with FINAL"
            if not state.rivals:
                return "a row twice without FINAL, though nobody rivalled"
        return None

    def unsettled(self, state: State) -> str | None:
        wanted = {(table, offset) for table in TABLES for offset in ROWS}
        return None if wanted <= set(state.rows) else "a row is missing"

    def completion(self, state: State) -> tuple[str, State] | None:
        for index in (1, 0):
            for label, after in self._steps(state, index):
                if not (index and label.endswith("reads")):
                    return label, after
        return None

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        for index in (0, 1):
            yield from self._steps(state, index)
            if state.faults < self._most:
                yield from self._faults(state._replace(faults=state.faults + 1), index)
        if state.faults < self._most:
            worse = state._replace(faults=state.faults + 1, rivals=True)
            first, second = (each._replace(current=False) for each in state.archivers)
            yield "the group assigns the other archiver", worse._replace(archivers=(second, first))
            if state.note is not None:
                yield "the broker forgets the notes", worse._replace(note=None)

    # -- steps ----------------------------------------------------------------------------------

    def _steps(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        each, who = state.archivers[index], NAMES[index]
        if index and each.phase != "away":
            if each.phase == "inserting":
                yield from self._insert(state, index, each, who)
            else:
                yield f"{who} lets go", _with(state, 1, Archiver())
        elif index == 0 and (
            each.phase == "away" or (each.phase == "collecting" and not each.current)
        ):
            yield f"{who} asks for the note", _with(state, 0, self._joined(state))
        elif each.phase == "inserting":
            yield from self._insert(state, index, each, who)
        elif each.phase == "done":
            yield f"{who} notes it done", self._note_done(state, index, each)
        if each.phase == "collecting":
            limit = Note.from_token(each.noted).open_end if each.noted else None
            if each.end < (len(LOG) if limit is None else limit):
                yield f"{who} reads", _with(state, index, each._replace(end=each.end + 1))
            if each.end > each.start and limit in (None, each.end):
                yield f"{who} notes the range", self._note_open(state, index, each)

    def _joined(self, state: State) -> Archiver:
        start, token = state.note or (0, Note().token())
        note = Note.from_token(token)
        reading = Reading() if "reading" in self._without else note.reading
        noted = token if note.open_end is not None else ""
        return Archiver("collecting", True, start, start, reading, noted)

    def _note_open(self, state: State, index: int, each: Archiver) -> State:
        if not each.current and "membership" not in self._without:
            return _with(state, index, Archiver())  # refused
        here, row_count, _ = self._range(each)
        note = Note(each.reading, here.end, row_count, here.digest)
        if each.noted and Note.from_token(each.noted) != note:
            state = state._replace(broken="the range is not what was noted")
        if "note" not in self._without:
            state = state._replace(note=(each.start, note.token()))
        return _with(state, index, each._replace(phase="inserting", inserted=0))

    def _note_done(self, state: State, index: int, each: Archiver) -> State:
        if not each.current and "membership" not in self._without:
            return _with(state, index, Archiver())  # refused
        reading = self._range(each)[2]
        if "done" not in self._without:
            state = state._replace(note=(each.end, Note(reading).token()))
        behind = each._replace(
            phase="collecting", start=each.end, reading=reading, noted="", inserted=0
        )
        return _with(state, index, behind)

    def _range(self, each: Archiver) -> tuple[Range, int, Reading]:
        digest, reading = "", each.reading
        for record in LOG[each.start : each.end]:
            digest = chain(digest, repr(record).encode())
            reading = reading.accept(mapping(record)) or reading
        offsets = self._offsets(each)
        return Range("journal", 0, each.start, each.end, digest), len(offsets), reading

    def _offsets(self, each: Archiver) -> list[int]:
        """What becomes rows."""
        reading, offsets = each.reading, []
        for offset in range(each.start, each.end):
            after = reading.accept(mapping(LOG[offset]))
            reading = after or reading
            if LOG[offset].topic and (after is not None or "rule" in self._without):
                offsets.append(offset)
        return offsets

    def _insert(
        self, state: State, index: int, each: Archiver, who: str
    ) -> Iterator[tuple[str, State]]:
        table = TABLES[each.inserted]
        taken = self._taken(state, each, table)
        last = each.inserted + 1 == len(TABLES)
        after = each._replace(
            phase="done" if last else "inserting", inserted=0 if last else each.inserted + 1
        )
        yield f"{who} inserts into {table}", _with(taken, index, after)

    def _taken(self, state: State, each: Archiver, table: str) -> State:
        here, row_count, _ = self._range(each)
        token = here.token(table, row_count)
        if "content" in self._without:
            token = f"{table}/{each.start}"
        rows = [(table, offset) for offset in self._offsets(each)]
        if not rows:
            return state
        if token in state.tokens and "token" not in self._without:
            missing = set(rows) - set(state.rows)
            return state._replace(broken="rows are dropped silently") if missing else state
        return state._replace(
            tokens=state.tokens | {token}, rows=tuple(sorted((*state.rows, *rows)))
        )

    def _faults(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        each, who = state.archivers[index], NAMES[index]
        if each.phase != "away":
            yield f"{who} crashes", _with(state, index, Archiver())
        if each.phase == "inserting":
            table = TABLES[each.inserted]
            yield f"{who} does not hear that {table} took it", self._taken(state, each, table)


def _with(state: State, index: int, each: Archiver) -> State:
    first, second = state.archivers
    return state._replace(archivers=(each, second) if index == 0 else (first, each))
