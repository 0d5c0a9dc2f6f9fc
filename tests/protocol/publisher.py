"""The publisher's protocol at small size: two publishers, one journal partition, transactions.

The broker is what Kafka promises: a transaction's outputs and positions appear together or never,
positions of an open transaction hold up who asks for them, and positions are taken only from a
member of the present generation. ``publishers[0]`` is the one that the partition is assigned to.
"""

from collections.abc import Iterator
from typing import NamedTuple

from streams.journal.acceptance import Reading
from tests.protocol.journal import Record, mapping

MECHANISMS = {
    "transaction": "outputs and position become visible together",
    "membership": "positions are sent under the membership that the batch was read under",
    "stable": "who asks for positions waits for open transactions",
    "fence": "a publisher's new life ends what its earlier life left open",
    "reading": "the reading of the journal is kept with the position",
    "rule": "only records that the reader's rule accepts are published",
    "continuity": "a slice is published only where it continues the position",
    "reread": "after a doubtful transaction the committed position is asked for",
}

LOG = (
    Record("claim", 1, "w0", 0),
    Record("decision", 1, "w0", 1, "a", 0),
    Record("claim", 2, "w1", 0),
    Record("decision", 1, "w0", 2, "a", 1),  # of the replaced desk: void
    Record("decision", 2, "w1", 2, "a", 1),
)
EFFECTS = (1, 4)
"""Offsets of the records whose effects are to be seen, each once, in this order."""
NAMES = ("the publisher", "the replaced publisher")


class Transaction(NamedTuple):
    """One that is not decided yet."""

    effects: tuple[int, ...]
    end: int
    token: str
    positioned: bool = False
    asked: bool = False
    """Its commit has been sent, and may arrive."""


class Publisher(NamedTuple):
    """One worker; ``away`` until it knows where to go on."""

    phase: str = "away"
    current: bool = False
    position: int = 0
    reading: Reading = Reading()
    reads: int | None = None
    waiting: tuple[int, int] | None = None
    open: Transaction | None = None
    left: Transaction | None = None
    """Left open by an earlier life, or by a doubt."""


class State(NamedTuple):
    """Everything; ``seen`` is what a subscriber that reads committed records has got."""

    publishers: tuple[Publisher, Publisher] = (Publisher(), Publisher())
    committed: tuple[int, str] = (0, Reading().token())
    seen: tuple[int, ...] = ()
    faults: int = 0


class PublisherModel:
    """The model with some mechanisms switched off."""

    def __init__(self, faults: int, without: frozenset[str] = frozenset()) -> None:
        assert without <= set(MECHANISMS), without
        self._most = faults
        self._without = without

    def initial(self) -> State:
        return State()

    def violation(self, state: State) -> str | None:
        if state.seen == EFFECTS[: len(state.seen)]:
            return None
        twice = len(set(state.seen)) < len(state.seen)
        return "an effect is seen twice" if twice else "an effect is lost or void"

    def unsettled(self, state: State) -> str | None:
        return None if state.seen == EFFECTS else "an effect is never seen"

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
            first, second = (each._replace(current=False) for each in state.publishers)
            yield (
                "the group assigns the other publisher",
                state._replace(publishers=(second, first), faults=state.faults + 1),
            )

    # -- steps ----------------------------------------------------------------------------------

    def _steps(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        each, who = state.publishers[index], NAMES[index]
        if each.left is not None:
            if each.left.asked:
                done = _settle(state, each.left)
                yield f"the commit of {who} arrives", _with(done, index, each._replace(left=None))
            yield (
                f"the broker aborts what {who} left",
                _with(state, index, each._replace(left=None)),
            )
        if index == 0 and (each.phase == "away" or (each.phase == "owning" and not each.current)):
            yield from self._join(state, each, who)
        elif each.phase == "open":
            yield f"{who} sends its position", self._send_position(state, index, each)
        elif each.phase == "sent" and each.open is not None:
            done = _settle(state, each.open, seen="transaction" not in self._without)
            yield f"{who} commits", _with(done, index, _published(each, each.open))
        elif each.phase == "owning" and each.waiting is not None:
            yield f"{who} begins a transaction", self._begin(state, index, each)
        elif index and each.phase == "owning":
            yield f"{who} lets go", _with(state, 1, Publisher())
        if each.reads is not None and each.waiting is None:
            for end in range(each.reads + 1, min(each.reads + 2, len(LOG)) + 1):
                read = each._replace(reads=end, waiting=(each.reads, end))
                yield f"{who} reads", _with(state, index, read)

    def _join(self, state: State, each: Publisher, who: str) -> Iterator[tuple[str, State]]:
        """End the own earlier life; ask for the positions, once nothing is open on them."""
        if each.left is not None and "fence" not in self._without:
            return  # the broker ends it first, in a step of its own
        other = state.publishers[1]
        pending = [each.left, other.open, other.left]
        if "stable" not in self._without and any(t and t.positioned for t in pending):
            return
        position, token = state.committed
        reading = Reading() if "reading" in self._without else Reading.from_token(token)
        joined = Publisher(
            "owning", True, position, reading, position, each.waiting, None, each.left
        )
        yield f"{who} asks for the position", _with(state, 0, joined)

    def _begin(self, state: State, index: int, each: Publisher) -> State:
        start, end = each.waiting or (0, 0)
        each = each._replace(waiting=None)
        if start != each.position and "continuity" not in self._without:
            return _with(state, index, each._replace(reads=each.position))
        reading, effects = each.reading, []
        for offset in range(start, end):
            after = reading.accept(mapping(LOG[offset]))
            if after is not None:
                reading = after
            if LOG[offset].topic and (after is not None or "rule" in self._without):
                effects.append(offset)
        begun = Transaction(tuple(effects), end, reading.token())
        if "transaction" in self._without:
            state = state._replace(seen=state.seen + begun.effects)
        return _with(state, index, each._replace(phase="open", open=begun))

    def _send_position(self, state: State, index: int, each: Publisher) -> State:
        assert each.open is not None
        if not each.current and "membership" not in self._without:
            return _with(state, index, Publisher(waiting=each.waiting))  # refused: aborted
        sent = each._replace(phase="sent", open=each.open._replace(positioned=True))
        return _with(state, index, sent)

    def _faults(self, state: State, index: int) -> Iterator[tuple[str, State]]:
        each, who = state.publishers[index], NAMES[index]
        if each.phase != "away":
            left = each.open if each.open is not None else each.left
            yield f"{who} crashes", _with(state, index, Publisher(left=left))
        if each.phase == "sent" and each.open is not None:
            asked = each.open._replace(asked=True)
            yield f"{who} crashes in its commit", _with(state, index, Publisher(left=asked))
            doubt = Publisher(waiting=each.waiting, left=asked)
            if "reread" in self._without:  # as if it had failed
                doubt = each._replace(phase="owning", open=None, reads=each.position, left=asked)
            yield f"{who} hears nothing of its commit", _with(state, index, doubt)


def _settle(state: State, decided: Transaction, seen: bool = True) -> State:
    return state._replace(
        committed=(decided.end, decided.token),
        seen=state.seen + decided.effects if seen else state.seen,
    )


def _published(each: Publisher, decided: Transaction) -> Publisher:
    reading = Reading.from_token(decided.token)
    return each._replace(phase="owning", position=decided.end, reading=reading, open=None)


def _with(state: State, index: int, each: Publisher) -> State:
    first, second = state.publishers
    return state._replace(publishers=(each, second) if index == 0 else (first, each))
