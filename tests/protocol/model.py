"""The desk's delivery protocol at small size: two desks, two input topics, one journal partition.

Around the reader's rule and the fold the model has what surrounds a desk: crashes, pauses,
takeovers, acknowledgements that do not come, records that land late. A mechanism can be switched
off by name; the search must then find what it is for, or it is redundant here.

What a desk does alone is one step where nobody could see it in between: it decides what it has
read at once, and a crash between the last acknowledgement and the write of the state is the crash
before that record, which then lands late. While the records of a slice are on their way it decides
the next one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from streams.journal.acceptance import Reading
from tests.protocol.journal import RULE, VOID, Input, Journal, Record, Store, is_void

MECHANISMS = {
    "claims": "a new owner appends a claim (without: it folds to the end and goes on)",
    "greater_epoch": "a claim counts only with a greater epoch",
    "writer": "a record counts only with the writer of the last claim",
    "epoch": "a record counts only with the epoch of the last claim",
    "number": "a record counts only with the next number",
    "read_back": "an owner decides only after it has folded up to its own claim",
    "offsets": "acknowledged offsets must be the expected ones",
    "reclaim": "after a doubt the partition is claimed and folded again",
    "discard": "after a doubt everything speculative is thrown away",
    "all_under_way": "a doubt throws away all that is under way, not only the slice in doubt",
    "journal_first": "the state is written after the journal has acknowledged",
    "letters_first": "a dead letter is acknowledged before its entry is written",
    "continuity": "a slice is decided only where it continues the fold",
    "all_topics": "a slice names the positions of all topics, not only of those in it",
    "rewind": "a refused slice has the inputs read again from the fold",
    "from_fold": "inputs are read on from the fold, not from committed offsets",
    "unread": "a tick is not ahead of what is unread on another topic",
    "ends": "before a quiet tick the broker is asked whether all was read",
    "generation": "slices of an earlier assignment are dropped",
}

DISCERNING = RULE | {"claims", "offsets", "discard", "read_back", "all_under_way"}
"""Without these, what could never count may count after all."""

NAMES = ("the desk", "the replaced desk")
DEPOSED = Reading(-1, "deposed", 0)
"""Stands for every claim that is not the last one any more."""


class Piece(NamedTuple):
    """A slice: the inputs it holds, where it continues, and what was unread behind it."""

    inputs: tuple[Input, ...]
    continues: tuple[int, ...]
    unread_ms: int | None


class Sent(NamedTuple):
    """A slice that was decided, until all of its records are answered for.

    ``left``: how many of the records on the wire are its own; ``after``: the state to be written
    then, ``None`` where nobody can accept them any more.
    """

    after: Store | None
    letters: frozenset[tuple[str, int]]
    left: int


class Desk(NamedTuple):
    """One worker. ``away``: it owns nothing (not started, crashed, revoked, or thrown back)."""

    phase: str = "away"
    store: Store = Store()
    reads: tuple[int, ...] | None = None
    pieces: tuple[Piece, ...] = ()
    under_way: tuple[Sent, ...] = ()
    wire: tuple[Record, ...] = ()
    outdated: bool = False
    """Somebody else's record stands behind what it has folded, or one of its own is missing."""

    @property
    def newest(self) -> Store | None:
        """The state that the next slice is decided on."""
        return self.under_way[-1].after if self.under_way else self.store


class State(NamedTuple):
    """Everything. ``desks[0]`` is the one that the group assigns the partition to."""

    desks: tuple[Desk, Desk] = (Desk(), Desk())
    head: Store = Store()
    """The fold of the whole journal."""
    late: tuple[tuple[Record, ...], ...] = ()
    """What thrown away producers may still bring to the journal, each in its order."""
    letters: frozenset[tuple[str, int]] = frozenset()
    published: int = 0
    faults: int = 0
    committed: tuple[int, ...] = ()
    broken: str | None = None


class DeskModel:
    """The model at one size, with some mechanisms switched off.

    Args:
        inputs: In the order of publishing; their times strictly increase.
        tick_ms: When something falls due.
        faults: How many faults may strike: a crash, a silence, a refused record, a lost slice, a
            change of the assignment. That records land late, or never, is free.
        present: How many inputs are published at the beginning, >= 1.
        waiting: Most slices that wait for a desk that is busy.
        records: Most inputs in one slice.
        under_way: Most slices whose records are on their way at once.
        without: Names of :data:`MECHANISMS`.
    """

    def __init__(
        self,
        inputs: tuple[Input, ...],
        tick_ms: int,
        faults: int,
        present: int = 1,
        waiting: int = 1,
        records: int = 2,
        under_way: int = 2,
        without: frozenset[str] = frozenset(),
    ) -> None:
        assert without <= set(MECHANISMS), without
        self._inputs = inputs
        self._tick_ms = tick_ms
        self._faults_most = faults
        self._present = present
        self._waiting = waiting
        self._records = records
        self._under_way = under_way
        self._without = without
        self._topics = tuple(sorted({each.topic for each in inputs}))
        self._journal = Journal(inputs, without & RULE)

    # -- what the search asks -------------------------------------------------------------------

    def initial(self) -> State:
        return State(published=self._present, committed=(0,) * len(self._topics))

    def violation(self, state: State) -> str | None:
        if state.broken is not None:
            return state.broken
        for fact in state.head.facts:
            if fact.kind == "dead" and (fact.topic, fact.offset) not in state.letters:
                return "a dead entry without its dead letter"
        return None

    def unsettled(self, state: State) -> str | None:
        for each in self._inputs:
            if state.head.next_of(each.topic) <= each.offset:
                return f"{each.topic}{each.offset} is never decided"
        return None if state.head.tick_ms >= self._tick_ms else "the tick never comes"

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        for label, after in self._all(state):
            yield label, self._canonical(after)

    def completion(self, state: State) -> tuple[str, State] | None:
        """All is published, the replaced desk ends, then the assigned one does what is left."""
        if state.published < len(self._inputs):
            return "an input is published", state._replace(published=state.published + 1)
        for index in (1, 0):
            for label, after in self._steps(state, index, fair=True):
                return label, self._canonical(after)
        return None

    # -- what can happen ------------------------------------------------------------------------

    def _all(self, state: State) -> Iterator[tuple[str, State]]:
        if state.published < len(self._inputs):
            each = self._inputs[state.published]
            more = state._replace(published=state.published + 1)
            yield f"{each.topic}{each.offset} is published", more
        for index, records in enumerate(state.late):
            if records in state.late[:index]:
                continue
            late = state.late[:index] + state.late[index + 1 :]
            rest = (*late, records[1:]) if records[1:] else late
            landed = self._land(state._replace(late=rest), records[0])
            yield f"{records[0]} lands late", landed
        for index in (0, 1):
            yield from self._steps(state, index)
        if state.faults < self._faults_most:
            worse = state._replace(faults=state.faults + 1)
            for index in (0, 1):
                yield from self._faults(worse, index)
            yield "the group assigns the other desk", worse._replace(desks=state.desks[::-1])

    def _steps(self, state: State, index: int, fair: bool = False) -> Iterator[tuple[str, State]]:
        desk, who = state.desks[index], NAMES[index]
        if desk.phase == "away" and index == 0:
            yield f"{who} folds and sends a claim", self._claim(state, index)
        elif desk.phase == "claiming" and not (fair and index):
            yield f"{who}: its claim lands and is read back", self._claimed(state, index)
        elif desk.phase == "journaling":
            label, landed = f"{who}: {desk.wire[0]} lands", self._append(state, index)
            yield label, landed
            if "from_fold" in self._without and landed.desks[index].phase == "owning":
                at = self._positions(landed.desks[index].store)
                yield f"{label}; it commits offsets", landed._replace(committed=at)
        elif desk.phase == "letters":
            yield f"{who}: dead letters are acknowledged", self._lettered(state, index)
        if desk.pieces and self._decides(desk):
            yield f"{who} takes notice that all is quiet", self._decide(state, index)
        if index == 1 and desk.phase in ("owning", "claiming"):
            yield f"{who} lets go", self._let_go(state, index)
        if desk.phase in ("away", "claiming") and desk.pieces and not fair:
            dropped = desk._replace(pieces=desk.pieces[1:])
            yield f"{who} drops a slice", _with(state, index, dropped)
        if desk.reads is not None and (not fair or (index == 0 and desk.phase == "owning")):
            for inputs in self._readable(state, desk, fair):
                what = "+".join(f"{each.topic}{each.offset}" for each in inputs) or "to the end"
                after = self._read(state, index, inputs)
                yield f"{who} reads {what}", self._eager(after, index)

    def _faults(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        desk, who = state.desks[index], NAMES[index]
        if desk != Desk():
            yield f"{who} crashes", _with(_orphaned(state, desk), index, Desk())
        if desk.phase in ("journaling", "claiming"):
            yield f"{who} hears nothing", self._doubt(state, index, desk)
        if desk.phase == "journaling":
            refused = desk._replace(outdated=True)
            yield f"{who}: {desk.wire[0]} is refused", self._answered(state, index, refused)
        if desk.reads is not None:
            for inputs in self._readable(state, desk, fair=False):
                if inputs:
                    read = self._read(state, index, inputs).desks[index]
                    yield (
                        f"{who}: a slice is lost",
                        _with(state, index, desk._replace(reads=read.reads)),
                    )

    # -- taking over ----------------------------------------------------------------------------

    def _claim(self, state: State, index: int) -> State:
        desk = state.desks[index]
        if "claims" in self._without:
            return self._eager(self._own(state, index, desk, state.head), index)
        name = next(name for n in range(99) if (name := f"w{n}") not in _names(state))
        claim = Record("claim", state.head.reading.epoch + 1, name, 0)
        after = desk._replace(phase="claiming", store=state.head, wire=(claim,), outdated=False)
        return _with(state, index, after)

    def _claimed(self, state: State, index: int) -> State:
        desk = state.desks[index]
        claim, known = desk.wire[0], desk.store
        state = self._land(state, claim, index)
        mine = Reading(claim.epoch, claim.writer, known.reading.number)
        if "read_back" in self._without:
            blind = known._replace(reading=mine)
            state = self._own(state, index, desk, blind)
            if blind != state.head:
                state = state._replace(broken="a state is not the fold of the journal")
            return state
        reading = state.head.reading
        if (reading.epoch, reading.writer) != (mine.epoch, mine.writer):
            away = Desk(reads=None, pieces=desk.pieces)
            return _with(state, index, away)  # somebody else's was greater: claim again
        return self._eager(self._own(state, index, desk, state.head), index)

    def _own(self, state: State, index: int, desk: Desk, store: Store) -> State:
        """Have the inputs read from the positions of the fold."""
        reads = state.committed if "from_fold" in self._without else self._positions(store)
        return _with(state, index, Desk("owning", store, reads, desk.pieces))

    def _let_go(self, state: State, index: int) -> State:
        """What still waits is of an earlier assignment, and will be dropped."""
        desk = state.desks[index]
        pieces = desk.pieces if "generation" in self._without else ()
        return _with(_orphaned(state, desk), index, Desk(pieces=pieces))

    def _positions(self, store: Store) -> tuple[int, ...]:
        return tuple(store.next_of(topic) for topic in self._topics)

    # -- reading --------------------------------------------------------------------------------

    def _readable(self, state: State, desk: Desk, fair: bool) -> Iterator[tuple[Input, ...]]:
        reads = desk.reads or ()
        if len(desk.pieces) >= self._waiting:
            return
        unread = [
            each
            for each in self._inputs[: state.published]
            if each.offset >= reads[self._topics.index(each.topic)]
        ]
        if not unread:
            store = desk.newest or desk.store
            done = store.tick_ms >= self._tick_ms and reads == self._positions(store)
            if not desk.pieces and not done:
                yield ()
        elif fair:
            yield tuple(unread[: self._records])
        else:
            for topic in self._topics:
                of_topic = [each for each in unread if each.topic == topic]
                if of_topic:
                    yield (of_topic[0],)
            for count in range(2, min(self._records, len(unread)) + 1):
                yield tuple(unread[:count])

    def _read(self, state: State, index: int, inputs: tuple[Input, ...]) -> State:
        desk = state.desks[index]
        reads = desk.reads or ()
        ends = list(reads)
        for each in inputs:
            ends[self._topics.index(each.topic)] = each.offset + 1
        piece = Piece(inputs, reads, self._unread_ms(state, ends))
        return _with(state, index, desk._replace(reads=tuple(ends), pieces=(*desk.pieces, piece)))

    def _unread_ms(self, state: State, ends: list[int]) -> int | None:
        """The time below which nothing is unread, as the intake says it; ``None``: all is read."""
        behind = []
        for topic, end in zip(self._topics, ends, strict=True):
            there = [e for e in self._inputs[: state.published] if e.topic == topic]
            if end < len(there):
                behind.append(there[end - 1].published_ms if end else 0)
        return min(behind, default=None)

    # -- deciding -------------------------------------------------------------------------------

    def _eager(self, state: State, index: int) -> State:
        """Decide what waits; a quiet slice may wait until others have published."""
        desk = state.desks[index]
        while desk.pieces and desk.pieces[0].inputs and self._decides(desk):
            state = self._decide(state, index)
            desk = state.desks[index]
        return state

    def _decides(self, desk: Desk) -> bool:
        """Whether it may decide one more slice."""
        return (
            desk.phase in ("owning", "journaling")
            and len(desk.under_way) < self._under_way
            and desk.newest is not None
        )

    def _decide(self, state: State, index: int) -> State:
        desk = state.desks[index]
        store, piece, desk = desk.newest, desk.pieces[0], desk._replace(pieces=desk.pieces[1:])
        assert store is not None
        if not self._continues(piece, store):
            if "rewind" not in self._without:
                lost = "from_fold" in self._without
                desk = desk._replace(reads=state.committed if lost else self._positions(store))
            return _with(state, index, desk)
        records, letters, after = self._decided(state, store, piece)
        if not records:
            return _with(state, index, desk)
        desk = desk._replace(
            phase="journaling",
            under_way=(*desk.under_way, Sent(after, letters, len(records))),
            wire=(*desk.wire, *records),
        )
        if "letters_first" not in self._without:  # acknowledged before anything is sent
            state = state._replace(letters=state.letters | letters)
        if "journal_first" in self._without:
            state = state._replace(broken="a state is ahead of the journal")
        return _with(state, index, desk)

    def _continues(self, piece: Piece, store: Store) -> bool:
        if "continuity" in self._without:
            return True
        named = {each.topic for each in piece.inputs}
        return all(
            store.next_of(topic) == at
            for topic, at in zip(self._topics, piece.continues, strict=True)
            if "all_topics" not in self._without or not named or topic in named
        )

    def _decided(
        self, state: State, store: Store, piece: Piece
    ) -> tuple[tuple[Record, ...], frozenset[tuple[str, int]], Store]:
        letters: set[tuple[str, int]] = set()
        records: list[Record] = []

        def append(kind: str, topic: str = "", offset: int = -1, tick_ms: int = 0) -> None:
            nonlocal store
            epoch, writer, number = store.reading.epoch, store.reading.writer, store.reading.number
            record = Record(kind, epoch, writer, number + 1, topic, offset, tick_ms)
            records.append(record)
            store = self._journal.fold(store, record)

        def pass_time(bound_ms: int) -> None:
            if store.tick_ms < self._tick_ms <= bound_ms:
                append("tick", tick_ms=self._tick_ms)

        for each in piece.inputs:
            if each.poison:
                letters.add((each.topic, each.offset))
            elif piece.unread_ms is None or "unread" in self._without:
                pass_time(each.published_ms)
            else:
                pass_time(min(each.published_ms, piece.unread_ms))
            append(self._journal.verdict(store, each), each.topic, each.offset)
        if not piece.inputs and (
            sum(piece.continues) == state.published or "ends" in self._without
        ):
            now_ms = self._inputs[state.published - 1].published_ms
            all_out = state.published == len(self._inputs)
            pass_time(max(now_ms, self._tick_ms) if all_out else now_ms)
        return tuple(records), frozenset(letters), store

    # -- the journal ----------------------------------------------------------------------------

    def _land(self, state: State, record: Record, mine: int | None = None) -> State:
        """Append a record: whoever else has folded up to here is outdated."""
        desks = tuple(
            desk if index == mine or desk.phase == "away" else desk._replace(outdated=True)
            for index, desk in enumerate(state.desks)
        )
        return state._replace(
            desks=desks,
            head=self._journal.fold(state.head, record),
            broken=self._journal.broken(state.head, record),
        )

    def _append(self, state: State, index: int) -> State:
        desk = state.desks[index]
        state = self._land(state, desk.wire[0], index)
        return self._answered(state, index, desk)

    def _answered(self, state: State, index: int, desk: Desk) -> State:
        """After each record that landed or was refused: wait on, write the state, or doubt."""
        first, *others = desk.under_way
        first = first._replace(left=first.left - 1)
        desk = desk._replace(wire=desk.wire[1:], under_way=(first, *others))
        if first.left:
            return _with(state, index, desk)
        if desk.outdated and "offsets" not in self._without:
            return self._doubt(state, index, desk)
        if "letters_first" in self._without and first.letters:
            return _with(state, index, desk._replace(phase="letters"))
        return self._eager(self._save(state, index, desk), index)

    def _lettered(self, state: State, index: int) -> State:
        """The letters after their entries: only where that mechanism is off."""
        desk = state.desks[index]
        letters = state.letters | desk.under_way[0].letters
        return self._eager(self._save(state._replace(letters=letters), index, desk), index)

    def _save(self, state: State, index: int, desk: Desk) -> State:
        """Write the state: from now on it is what a restart begins with."""
        (saved, *others), was = desk.under_way, desk.phase
        assert saved.after is not None
        if saved.after != state.head and was != "letters":
            state = state._replace(broken="a state is not the fold of the journal")
        phase = "journaling" if others else "owning"
        desk = desk._replace(phase=phase, store=saved.after, under_way=tuple(others))
        return _with(state, index, desk)

    def _doubt(self, state: State, index: int, desk: Desk) -> State:
        """Throw away the producer and all that is not durable; claim again."""
        if "all_under_way" in self._without and desk.under_way[1:] and not desk.under_way[0].left:
            others = desk.under_way[1:]
            return _with(state, index, desk._replace(under_way=others, outdated=False))
        state = _orphaned(state, desk)
        if desk.phase == "journaling" and "discard" in self._without:
            return self._save(state, index, desk)
        if desk.phase == "journaling" and "reclaim" in self._without:
            owning = Desk("owning", desk.store, self._positions(desk.store), desk.pieces)
            return _with(state, index, owning._replace(outdated=True))
        return _with(state, index, Desk(pieces=desk.pieces))

    # -- canonical form -------------------------------------------------------------------------

    def _canonical(self, state: State) -> State:
        """One form for all states that differ in names only, or in what can never count."""
        desks, late = state.desks, state.late
        if not self._without & DISCERNING:
            reading = state.head.reading
            desks = tuple(_plain(desk, reading) for desk in desks)
            late = tuple(
                tuple(VOID if is_void(each, reading) else each for each in records)
                for records in late
            )
        state = state._replace(desks=desks, late=tuple(sorted(late)))
        names = {name: f"w{n}" for n, name in enumerate(_names(state))}
        shift = max(0, state.head.reading.epoch - 1)
        if not shift and all(name == new for name, new in names.items()):
            return state

        def renamed(record: Record) -> Record:
            if record is VOID or record.epoch < 0:
                return record
            return record._replace(
                epoch=record.epoch - shift, writer=names.get(record.writer, record.writer)
            )

        def reread(store: Store) -> Store:
            reading = store.reading
            if reading is DEPOSED or not reading.writer:
                return store
            name = names.get(reading.writer, reading.writer)
            return store._replace(reading=Reading(reading.epoch - shift, name, reading.number))

        return state._replace(
            desks=tuple(
                desk._replace(
                    store=reread(desk.store),
                    under_way=tuple(
                        sent._replace(after=None if sent.after is None else reread(sent.after))
                        for sent in desk.under_way
                    ),
                    wire=tuple(map(renamed, desk.wire)),
                )
                for desk in state.desks
            ),
            head=reread(state.head),
            late=tuple(sorted(tuple(map(renamed, records)) for records in state.late)),
        )


def _plain(desk: Desk, reading: Reading) -> Desk:
    """Forget what cannot matter any more to a desk that is deposed or will doubt."""
    if desk.phase == "claiming":
        return desk._replace(store=Store(), outdated=False)
    if desk.phase not in ("owning", "journaling"):
        return desk
    mine = desk.store.reading
    if (mine.epoch, mine.writer) != (reading.epoch, reading.writer):
        return desk._replace(
            store=desk.store._replace(reading=DEPOSED),
            under_way=tuple(sent._replace(after=None) for sent in desk.under_way),
            wire=(VOID,) * len(desk.wire),
        )
    return desk


def _names(state: State) -> list[str]:
    """The writers named anywhere, in order of appearance."""
    found = [state.head.reading.writer]
    for desk in state.desks:
        found.append(desk.store.reading.writer)
        found += [record.writer for record in desk.wire]
    for records in state.late:
        found += [record.writer for record in records]
    return [name for name in dict.fromkeys(found) if name and name != "deposed"]


def _orphaned(state: State, desk: Desk) -> State:
    """What the producer of a desk still holds may land late, or never."""
    return state._replace(late=(*state.late, desk.wire)) if desk.wire else state


def _with(state: State, index: int, desk: Desk) -> State:
    first, second = state.desks
    return State((desk, second) if index == 0 else (first, desk), *state[1:])
