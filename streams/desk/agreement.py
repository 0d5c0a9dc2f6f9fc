"""Who is right when the learners of two workers differ at a revision: the order of the topic says.

At each revision the first digest on the topic counts, until one comes from a worker that rebuilt
its learners from the first lesson on: then that one counts. Who differs from what counts, stops.
Two rebuilt ones that differ contradict the promise itself: both stop, and a person must look.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.digests import LearnersDigest

KEPT_REVISIONS = 10_000


class Said(NamedTuple):
    """What one start of a worker said of its learners at a revision."""

    worker: str
    start: str
    chain: str
    content: str
    rebuilt: bool

    def differs(self, other: "Said") -> bool:
        """Tell whether other lessons were folded, or another content came of them."""
        return (self.chain, self.content) != (other.chain, other.content)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of comparing own learners with others at a revision.

    Args:
        kind: ``agreed``; ``departed``: we must stop; ``contradicted``: the other one must.
        revision: Where both stood.
        own: Our digests.
        other: Whom we were compared with.
    """

    kind: Literal["agreed", "departed", "contradicted"]
    revision: int
    own: Said
    other: Said


@dataclass(slots=True)
class _Heard:
    """What was heard of one revision."""

    first: Said
    rebuilt: Said | None = None
    contested: Said | None = None
    """A rebuilt one that differs from the first rebuilt one."""
    own: Said | None = None

    def note(self, said: Said, own: bool) -> None:
        if own and self.own is None:
            self.own = said
        if said.rebuilt and self.rebuilt is None:
            self.rebuilt = said
        elif said.rebuilt and self.rebuilt is not None and self.contested is None:
            self.contested = said if said.differs(self.rebuilt) else None


class Agreement:
    """Compares one start of a worker with everybody, itself in earlier starts included.

    Args:
        start: Names this start; its own records are recognised by it.
        kept: How many revisions are remembered, for workers far behind or ahead.
    """

    def __init__(self, start: str, kept: int = KEPT_REVISIONS) -> None:
        self._start = start
        self._kept = kept
        self._heard: OrderedDict[tuple[int, str, str], _Heard] = OrderedDict()

    def hear(self, record: LearnersDigest) -> Verdict | None:
        """Take the next record of the topic, in its order; own ones too.

        Returns:
            What follows from it for us; ``None`` where there is nothing to compare (yet).
            Other code or another machine is never compared.
        """
        said = Said(*(record[name] for name in Said._fields))  # type: ignore[literal-required]
        place = (record["revision"], record["fingerprint"], record["platform"])
        heard = self._heard.setdefault(place, _Heard(said))
        heard.note(said, said.start == self._start)
        if len(self._heard) > self._kept:
            self._heard.popitem(last=False)
        return self._judge(record["revision"], heard, said)

    def _judge(self, revision: int, heard: _Heard, said: Said) -> Verdict | None:
        own = heard.own
        if own is None:
            return None
        against = self._counting(heard, own)
        if own.differs(against):
            return Verdict("departed", revision, own, against)
        other = said if said.start != self._start else heard.first
        if other.start == self._start:
            return None
        return Verdict("contradicted" if own.differs(other) else "agreed", revision, own, other)

    @staticmethod
    def _counting(heard: _Heard, own: Said) -> Said:
        """Give what we must be equal to."""
        if heard.rebuilt is None:
            return heard.first
        if own.rebuilt and heard.contested is not None and not own.differs(heard.rebuilt):
            return heard.contested
        return heard.rebuilt
