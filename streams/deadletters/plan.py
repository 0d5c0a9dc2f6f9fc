"""What a redrive would do: which letters would be sent, which would only be refused again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from streams.deadletters.letters import Letter
from streams.deadletters.tally import Kind
from streams.deadletters.trial import Trial, Verdict


@dataclass(slots=True)
class Refused:
    """Letters of one kind that would be refused again.

    Args:
        count: How many.
        example: One of them.
        message: Why that one.
    """

    count: int
    example: str
    message: str


@dataclass(slots=True)
class Plan:
    """Judges letters one by one and counts.

    Args:
        trial: The desk's rule.
        now_ms: The time at which they would be published.
        force: Send also what would be refused again.
    """

    trial: Trial
    now_ms: int
    force: bool
    to_send_count: int = 0
    oversize_count: int = 0
    """Too large for the source topic together with the headers of a copy; never sent."""
    refused: dict[Kind, Refused] = field(default_factory=dict)
    """By topic, and by stage and error of the refusal to come."""

    @property
    def refused_count(self) -> int:
        """Letters that would be refused again."""
        return sum(each.count for each in self.refused.values())

    def to_send(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Verdict]]:
        """Give the letters that are to be sent, with where their copies go."""
        for letter in letters:
            verdict = self.trial.judge(letter, self.now_ms)
            if verdict.refusal is not None:
                kind = Kind(letter.place.topic, verdict.refusal.stage, verdict.refusal.error)
                if kind not in self.refused:
                    self.refused[kind] = Refused(0, str(letter.place), verdict.refusal.message)
                self.refused[kind].count += 1
                if not self.force:
                    continue
            if not verdict.sendable:
                self.oversize_count += 1
                continue
            self.to_send_count += 1
            yield letter, verdict
