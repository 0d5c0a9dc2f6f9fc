"""What the intake's thread last saw, for others to look at: a client may not be asked by two."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.intake.continuity import Place


@dataclass(frozen=True, slots=True)
class Sight:
    """One look, at most a second old while the thread makes turns.

    Args:
        turn_count: Turns of the thread so far; stands still with it.
        joined: Whether the group has told this worker which partitions it has (also: none).
        assigned: What it was given.
        read: Next offset to be read, of what is being read.
        ended: Where nothing more stood when the end was last reached; only where it was.
    """

    turn_count: int = 0
    joined: bool = False
    assigned: frozenset[Place] = frozenset()
    read: Mapping[Place, int] = field(default_factory=dict)
    ended: Mapping[Place, int] = field(default_factory=dict)
