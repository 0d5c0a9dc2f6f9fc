"""Tickets one after another: guess, then learn when the label has come; as the desk does."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from models.asking import Asked, AskMode, AskRules, decide_asking, fold_asking, margin_of
from models.evaluation.baselines import TextBaseline, text_baseline
from models.evaluation.examples import TicketExample
from models.evaluation.ticket_desk import DeskReader, Reading, Waiting, lesson_of
from models.evaluation.timing import Clock, Timings
from models.learning import Learners
from models.masking_patterns import mask_text
from models.policy import Policy
from models.state import Value

Arrival = Literal["shuffled", "by-class"]
OURS = "riverdesk"
BLOCK = 100
"""So many tickets of the test part are guessed by one, then by the next: a desk gets batches."""


@dataclass(frozen=True, slots=True)
class TicketProtocol:
    """How tickets and their labels arrive.

    Args:
        label_share: The share of tickets that people are asked to label, above 0, at most 1.
        label_delay: How many further tickets come before a ticket's label does.
        ask: Which tickets are asked about, where the share is below 1.
        arrival: ``shuffled``, or one class after the other, in an order that is shuffled.
    """

    label_share: float = 1.0
    label_delay: int = 0
    ask: AskMode = "random"
    arrival: Arrival = "shuffled"


@dataclass(slots=True)
class Guesses:
    """What one contestant said about the tickets of a part, in order."""

    labels: list[str | None] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    """Empty for the baselines, as is the next."""
    answered: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class Contestant:
    """One who guesses and learns: what was said, and how long it took, text in."""

    name: str
    predicting: Timings
    """In the stream, where one guesses after the other."""
    testing: Timings
    """In the test part, where each has a block of tickets for itself."""
    learning: Timings
    stream: Guesses = field(default_factory=Guesses)
    test: Guesses = field(default_factory=Guesses)

    @property
    def predict_us(self) -> float:
        """The median, text in: of the test part, or of the stream where there is none."""
        return self.testing.p50_us if self.testing.count else self.predicting.p50_us


@dataclass(frozen=True, slots=True)
class TicketRun:
    """What happened in one shuffle.

    Args:
        truths: The labels of the stream, in the order of this shuffle.
        test_truths: The labels of the test part; empty without one.
        contestants: By name, `OURS` first.
        asked_count: How many tickets were asked about.
    """

    truths: list[str]
    test_truths: list[str]
    contestants: dict[str, Contestant]
    asked_count: int


def arrange(rows: Sequence[TicketExample], seed: int, arrival: Arrival) -> list[TicketExample]:
    """Give the rows in the order of a shuffle.

    >>> arrange([], 0, "shuffled")
    []
    """
    rng = random.Random(seed)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    if arrival == "shuffled":
        return shuffled
    classes = sorted({row.label for row in rows})
    rng.shuffle(classes)
    place = {label: at for at, label in enumerate(classes)}
    return sorted(shuffled, key=lambda row: place[row.label])


def run_tickets(
    stream: Sequence[TicketExample],
    test: Sequence[TicketExample],
    seed: int,
    protocol: TicketProtocol,
    policy: Policy,
    baselines: Iterable[str],
    clock: Clock,
    told: Callable[[int], None] = lambda count: None,
) -> TicketRun:
    """Stream tickets in the order of a shuffle; then guess the test part, learning no more.

    All guess about a ticket before anybody learns its label, and take turns, so that their times
    are taken side by side; all learn the same labels, and read texts masked as the desk gets them.

    Args:
        stream: Rows to guess and learn, in the order of the file.
        test: Rows to guess at the end.
        seed: Of the shuffle.
        protocol: When labels come, and which.
        policy: Says from which confidence on a category is answered for.
        baselines: Names of `models.evaluation.baselines`.
        clock: For the timings.
        told: Is told how many tickets were guessed, now and then.
    """
    reader = DeskReader(Learners(), policy.priority)
    ours = _contestant(OURS, clock)
    others = [(_contestant(name, clock), text_baseline(name)) for name in baselines]
    waiting: deque[Waiting] = deque()
    rules = AskRules(protocol.label_share, protocol.ask)
    asking: Value | None = None
    asked_count = 0
    rows = arrange(stream, seed, protocol.arrival)
    for number, row in enumerate(rows):
        while waiting and number - waiting[0].number > protocol.label_delay:
            _learn(waiting.popleft(), number, reader, ours, others)
        text = mask_text(row.text)
        with ours.predicting.measured():
            choices = reader.rank(text)
        reading = reader.judge(choices)
        _note(ours.stream, reading)
        for contestant, model in others:
            with contestant.predicting.measured():
                label = model.predict_one(text)
            contestant.stream.labels.append(label)
        margin = margin_of(reading.choices)
        asked = _asked(asking, margin, f"{seed}/{number}/{row.id}", rules)
        asking = fold_asking(asking, margin, asked.asked, rules.share)
        if asked.asked:
            asked_count += 1
            waiting.append(Waiting(number, row, text, reading, asked.propensity, rules.share < 1.0))
        if number % 200 == 0:
            told(number)
    for late in waiting:
        _learn(late, len(rows), reader, ours, others)
    _guess_test(test, reader, ours, others)
    told(len(rows))
    return TicketRun(
        [row.label for row in rows],
        [row.label for row in test],
        {each.name: each for each in (ours, *(each for each, _ in others))},
        asked_count,
    )


def _contestant(name: str, clock: Clock) -> Contestant:
    return Contestant(name, Timings(clock), Timings(clock), Timings(clock))


def _guess_test(
    test: Sequence[TicketExample],
    reader: DeskReader,
    ours: Contestant,
    others: Sequence[tuple[Contestant, TextBaseline]],
) -> None:
    """Let all guess the test part, block by block in turns."""
    for begin in range(0, len(test), BLOCK):
        texts = [mask_text(row.text) for row in test[begin : begin + BLOCK]]
        for text in texts:
            with ours.testing.measured():
                choices = reader.rank(text)
            _note(ours.test, reader.judge(choices))
        for contestant, model in others:
            for text in texts:
                with contestant.testing.measured():
                    label = model.predict_one(text)
                contestant.test.labels.append(label)


def _asked(asking: Value | None, margin: float | None, subject_id: str, rules: AskRules) -> Asked:
    if rules.share >= 1.0:
        return Asked(True, 1.0, "random")
    return decide_asking(asking, margin, subject_id, rules)


def _note(part: Guesses, reading: Reading) -> None:
    choices = reading.choices
    part.labels.append(choices[0]["label"] if choices else None)
    part.confidences.append(choices[0]["probability"] if choices else 0.0)
    part.answered.append(reading.answered)


def _learn(
    late: Waiting,
    now: int,
    reader: DeskReader,
    ours: Contestant,
    others: Sequence[tuple[Contestant, TextBaseline]],
) -> None:
    lesson = lesson_of(late, now)
    with ours.learning.measured():
        reader.learn(lesson)
    for contestant, model in others:
        with contestant.learning.measured():
            model.learn_one(late.text, late.row.label)
