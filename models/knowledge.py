"""What labels say about terminals: facts folded from lessons, read as of a moment.

What became known after the moment asked about is invisible, so that a fast replay of old data
cannot see the future. Bounded: 32 labels a terminal, and terminals that were not labelled for
longest are forgotten first.
"""

from bisect import insort
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from models.learners.digest import digest_content
from schemas.codec import digest_bytes, encode

LABELS = 32
TERMINALS = 200_000
DIGESTED_TOGETHER = 100


class TerminalFacts(NamedTuple):
    """What was known of a terminal at a moment."""

    label: bool | None
    """Label of its latest labelled transaction."""
    fraud_run: int
    """Frauds in a row among its latest labelled transactions."""
    first_fraud_ms: int | None
    last_fraud_ms: int | None
    """Event times of its first and last known fraud."""


NOTHING = TerminalFacts(None, 0, None, None)


class _Label(NamedTuple):
    occurred_ms: int
    subject_id: str
    known_ms: int
    is_fraud: bool


@dataclass(slots=True)
class _Terminal:
    labels: list[_Label] = field(default_factory=list)
    known_ms: int = 0
    """The latest known_ms among the labels."""
    now: TerminalFacts | None = NOTHING
    """Facts from all labels; ``None`` while they have to be computed."""


class Knowledge:
    """Labels of terminals, per tenant.

    Args:
        terminals: How many terminals are remembered.
    """

    def __init__(self, terminals: int = TERMINALS) -> None:
        self.terminals = terminals
        self._terminals: dict[tuple[str, str], _Terminal] = {}

    def learn(
        self,
        tenant: str,
        terminal_id: str,
        subject_id: str,
        is_fraud: bool,
        occurred_ms: int,
        known_ms: int,
    ) -> None:
        """Learn a label; a later one about the same subject corrects it from then on."""
        key = (tenant, terminal_id)
        terminal = self._terminals.pop(key, None) or _Terminal()
        self._terminals[key] = terminal
        insort(terminal.labels, _Label(occurred_ms, subject_id, known_ms, is_fraud))
        if len(terminal.labels) > LABELS:
            # The first fraud stays: its age says how long the terminal has been compromised.
            keep = next((i for i, label in enumerate(terminal.labels) if label.is_fraud), -1)
            del terminal.labels[1 if keep == 0 else 0]
        terminal.known_ms = max(terminal.known_ms, known_ms)
        terminal.now = None
        if len(self._terminals) > self.terminals:
            del self._terminals[next(iter(self._terminals))]

    def facts(self, tenant: str, terminal_id: str | None, as_of_ms: int) -> TerminalFacts:
        """Give what was known of a terminal at ``as_of_ms``."""
        terminal = None if terminal_id is None else self._terminals.get((tenant, terminal_id))
        if terminal is None:
            return NOTHING
        if as_of_ms < terminal.known_ms:
            return _facts([label for label in terminal.labels if label.known_ms <= as_of_ms])
        if terminal.now is None:
            terminal.now = _facts(terminal.labels)
        return terminal.now

    def digest(self) -> str:
        """Return the digest of everything remembered."""
        remembered = iter(self._terminals.items())
        pieces = iter(lambda: list(islice(remembered, DIGESTED_TOGETHER)), [])
        return digest_content(
            "Knowledge",
            self.terminals,
            [
                digest_bytes(
                    encode([[*key, [tuple(label) for label in each.labels]] for key, each in piece])
                )
                for piece in pieces
            ],
        )

    def __getstate__(self) -> dict[str, Any]:
        """Give everything as plain tuples, which pickle in a third of the time."""
        return {
            "terminals": self.terminals,
            "known": [
                (*key, terminal.known_ms, [tuple(label) for label in terminal.labels])
                for key, terminal in self._terminals.items()
            ],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.terminals = state["terminals"]
        self._terminals = {
            (tenant, name): _Terminal([_Label(*label) for label in labels], known_ms, None)
            for tenant, name, known_ms, labels in state["known"]
        }


def _facts(labels: list[_Label]) -> TerminalFacts:
    """Summarise labels in order of event time; the latest known of a subject counts."""
    last = {label.subject_id: label for label in labels}
    run, broken = 0, False
    first_ms: int | None = None
    last_ms: int | None = None
    newest: bool | None = None
    for label in reversed(last.values()):
        if newest is None:
            newest = label.is_fraud
        broken = broken or not label.is_fraud
        if label.is_fraud:
            run += not broken
            first_ms = label.occurred_ms
            last_ms = label.occurred_ms if last_ms is None else last_ms
    return TerminalFacts(newest, run, first_ms, last_ms)
