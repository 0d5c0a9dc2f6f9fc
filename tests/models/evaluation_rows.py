"""Rows for evaluations: small, and different enough to learn from."""

from dataclasses import dataclass
from itertools import count
from random import Random


@dataclass(frozen=True, slots=True)
class Ticket:
    id: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    ts: int
    customer_id: str = "c"
    terminal_id: str = "t"
    amount: float = 20.0
    is_fraud: bool = False
    scenario: str = "unknown"


def ticking(step_ns: int = 1_000) -> "Clock":
    return Clock(step_ns)


class Clock:
    """Each look at it is a microsecond after the last."""

    def __init__(self, step_ns: int) -> None:
        self._ticks = count(0, step_ns)

    def __call__(self) -> int:
        return next(self._ticks)


WORDS = {
    "card": ["card", "plastic", "chip", "刷卡", "visa"],
    "transfer": ["transfer", "payment", "iban", "转账", "wire"],
    "login": ["password", "login", "code", "登录", "locked"],
}


def tickets(number: int, seed: int = 5) -> list[Ticket]:
    """Texts of three classes, told apart by their words."""
    rng = Random(seed)
    made = []
    for i in range(number):
        label = rng.choice(sorted(WORDS))
        words = [rng.choice(WORDS[label]), rng.choice(WORDS[label]), f"w{rng.randrange(40)}"]
        rng.shuffle(words)
        made.append(Ticket(f"k{i}", "my " + " ".join(words), label))
    return made


def payments(number: int, start_s: int, step_s: int, seed: int = 5) -> list[Row]:
    """Payments of eight cards at five terminals; large ones at the last terminal are fraud."""
    rng = Random(seed)
    made = []
    for i in range(number):
        stolen = rng.random() < 0.1
        made.append(
            Row(
                id=str(i),
                ts=start_s + i * step_s,
                customer_id=f"c{rng.randrange(8)}",
                terminal_id="t4" if stolen else f"t{rng.randrange(5)}",
                amount=round(rng.uniform(200, 400) if stolen else rng.uniform(5, 60), 2),
                is_fraud=stolen,
                scenario="3" if stolen else "0",
            )
        )
    return made
