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

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
MONTH_MS = 30 * DAY_MS
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
    run_first_ms: int | None
    """Event time of the first fraud of the run."""
    run_ratio: float | None
    """Least amount ratio in the run: a fraud of usual size speaks against the terminal, a large
    one against its customer."""
    fraud_count: int
    """Frauds among the labels remembered."""
    fraud_share_7d: float | None
    fraud_share_30d: float | None
    """Share of frauds in the days up to its latest labelled transaction; each labelled one
    counts as many as it was sampled for."""
    per_day: float | None
    """Transactions a day, estimated likewise."""


NOTHING = TerminalFacts(None, 0, None, None, None, None, 0, None, None, None)


class _Label(NamedTuple):
    occurred_ms: int
    subject_id: str
    known_ms: int
    is_fraud: bool
    weight: float
    amount_ratio: float | None


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
        propensity: float = 1.0,
        amount_ratio: float | None = None,
    ) -> None:
        """Learn a label; a later one about the same subject corrects it from then on.

        Args:
            tenant: Of the terminal.
            terminal_id: Where the transaction took place.
            subject_id: The transaction.
            is_fraud: The label.
            occurred_ms: Event time of the transaction.
            known_ms: Since when the label is known; never before ``occurred_ms``.
            propensity: The chance with which it was chosen to be labelled, in (0, 1].
            amount_ratio: The transaction's amount over what its customer usually spends.
        """
        # The clock of whoever said so may be behind: nothing is known before it happened.
        known_ms = max(known_ms, occurred_ms)
        key = (tenant, terminal_id)
        terminal = self._terminals.pop(key, None) or _Terminal()
        self._terminals[key] = terminal
        label = _Label(occurred_ms, subject_id, known_ms, is_fraud, 1.0 / propensity, amount_ratio)
        insort(terminal.labels, label, key=_order)
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


def _order(label: _Label) -> tuple[int, str, int]:
    return label.occurred_ms, label.subject_id, label.known_ms


def _facts(labels: list[_Label]) -> TerminalFacts:
    """Summarise labels in order of event time; the latest known of a subject counts."""
    last = {label.subject_id: label for label in labels}
    if not last:
        return NOTHING
    newest = labels[-1].occurred_ms
    label: bool | None = None
    run, broken = 0, False
    run_first_ms = first_ms = last_ms = None
    run_ratio: float | None = None
    count = 0
    frauds_7d = frauds_30d = all_7d = all_30d = total = 0.0
    for occurred_ms, _, _, is_fraud, weight, ratio in reversed(last.values()):
        if label is None:
            label = is_fraud
        total += weight
        age_ms = newest - occurred_ms
        if age_ms < WEEK_MS:
            all_7d += weight
        if age_ms < MONTH_MS:
            all_30d += weight
        if not is_fraud:
            broken = True
            continue
        count += 1
        first_ms = occurred_ms
        last_ms = occurred_ms if last_ms is None else last_ms
        if age_ms < WEEK_MS:
            frauds_7d += weight
        if age_ms < MONTH_MS:
            frauds_30d += weight
        if not broken:
            run += 1
            run_first_ms = occurred_ms
            if ratio is not None and (run_ratio is None or ratio < run_ratio):
                run_ratio = ratio
    return TerminalFacts(
        label=label,
        fraud_run=run,
        first_fraud_ms=first_ms,
        last_fraud_ms=last_ms,
        run_first_ms=run_first_ms,
        run_ratio=run_ratio,
        fraud_count=count,
        fraud_share_7d=frauds_7d / all_7d,
        fraud_share_30d=frauds_30d / all_30d,
        per_day=total * DAY_MS / max(newest - labels[0].occurred_ms, WEEK_MS),
    )
