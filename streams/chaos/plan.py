"""Which faults strike when: drawn from a seed before the campaign begins."""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from streams.chaos.faults import FAULTS, Fault, Target


@dataclass(frozen=True, slots=True)
class Strike:
    """One planned fault.

    Args:
        number: From 1, in order of time.
        fault: What happens.
        at_event: After how many published events.
        hold_s: How long it lasts.
        seed: For everything that the strike itself draws.
    """

    number: int
    fault: Fault
    at_event: int
    hold_s: float
    seed: str


def draw(
    seed: int, fault_count: int, event_count: int, targets: Collection[Target]
) -> list[Strike]:
    """Draw a campaign: every kind once before any comes again, evenly over the load.

    Args:
        seed: The same seed gives the same plan.
        fault_count: How many strikes, >= 0.
        event_count: Of the load; the first and the last twentieth are left in peace.
        targets: What can be struck here.
    """
    random = Random(f"{seed}:faults")
    possible = [fault for fault in FAULTS if fault.target in targets]
    chosen: list[Fault] = []
    while len(chosen) < fault_count:
        round_ = random.sample(possible, len(possible))
        chosen += round_[: fault_count - len(chosen)]
    random.shuffle(chosen)
    first, span = event_count // 20, event_count * 9 // 10
    return [
        Strike(
            number,
            fault,
            first + span * (number - 1) // max(1, fault_count),
            round(random.uniform(*fault.hold_s), 1),
            f"{seed}:strike:{number}",
        )
        for number, fault in enumerate(chosen, start=1)
    ]
