"""What a comparison found: how many, of which kind, where, and the first examples of each."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["lost", "duplicated", "differing", "repeated", "unconfirmed"]
"""What is wrong with a record.

lost: it should be there and is not. duplicated: it is there more often than it should be; also
what nothing accounts for. differing: it is there with other content, or out of order. repeated:
written twice where readers are told to see it once; not a fault, counted apart. unconfirmed: a
dead letter because the core raised or the decision was too large, which only deciding again could
confirm; a store with damaged files, which whoever opened it would fold anew.
"""
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one comparison.

    Args:
        events_in_by_topic: Input records by topic: all that the broker holds, and those it
            acknowledged and lost.
        dead_letters: Accepted ``dead`` entries of the journal.
        counts: How often each kind of finding was made, by place: ``inputs``, ``journal``,
            ``alerts``, ``priorities``, ``questions``, ``lessons``, ``quality``,
            ``dead_letters``, ``warehouse.<table>``, ``status``, ``stores``.
        examples: The first findings of each kind and place, in words.
        compared: How many records were compared, by place.
    """

    events_in_by_topic: Mapping[str, int]
    dead_letters: int
    counts: Mapping[Kind, Mapping[str, int]]
    examples: Mapping[str, tuple[str, ...]]
    compared: Mapping[str, int]

    @property
    def events_in(self) -> int:
        """Input records, all topics."""
        return sum(self.events_in_by_topic.values())

    @property
    def lost(self) -> int:
        """What should be there and is not."""
        return self._total("lost")

    @property
    def duplicated(self) -> int:
        """What is there and should not be, or not so often."""
        return self._total("duplicated")

    @property
    def differing(self) -> int:
        """What is there with other content or in another order."""
        return self._total("differing")

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, nothing different."""
        return not (self.lost or self.duplicated or self.differing)

    def as_json(self) -> dict[str, Any]:
        """Give the fixed keys, then the details, as JSON types."""
        return {
            "events_in": self.events_in,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "differing": self.differing,
            "dead_letters": self.dead_letters,
            "events_in_by_topic": dict(self.events_in_by_topic),
            "lost_where": dict(self.counts.get("lost", {})),
            "duplicated_where": dict(self.counts.get("duplicated", {})),
            "differing_where": dict(self.counts.get("differing", {})),
            "repeated_where": dict(self.counts.get("repeated", {})),
            "unconfirmed_where": dict(self.counts.get("unconfirmed", {})),
            "compared": dict(self.compared),
            "examples": {name: list(each) for name, each in self.examples.items()},
        }

    def joined(self, other: "Verdict") -> "Verdict":
        """Give both comparisons as one; inputs and dead letters are those of this one."""
        kinds = [*self.counts, *(kind for kind in other.counts if kind not in self.counts)]
        return Verdict(
            self.events_in_by_topic,
            self.dead_letters,
            {k: Counter(self.counts.get(k, {})) + Counter(other.counts.get(k, {})) for k in kinds},
            {**other.examples, **self.examples},
            Counter(self.compared) + Counter(other.compared),
        )

    def _total(self, kind: Kind) -> int:
        return sum(self.counts.get(kind, {}).values())


@dataclass(slots=True)
class Findings:
    """Collects findings while a comparison runs."""

    events_in: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    counts: defaultdict[Kind, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    compared: Counter[str] = field(default_factory=Counter)

    def add(self, kind: Kind, where: str, what: str, count: int = 1) -> None:
        """Note a finding; ``what`` names the record and, where known, the fields."""
        if count > 0:
            self.counts[kind][where] += count
            kept = self.examples[f"{where}: {kind}"]
            if len(kept) < EXAMPLES:
                kept.append(what)

    def verdict(self) -> Verdict:
        """Give the result."""
        return Verdict(
            dict(self.events_in),
            self.dead_letters,
            {kind: dict(places) for kind, places in self.counts.items()},
            {name: tuple(each) for name, each in self.examples.items()},
            dict(self.compared),
        )
