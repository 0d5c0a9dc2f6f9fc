"""How a role stands: how far behind the topics' ends it is, and whether it is ready to serve."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from streams.health.waiting import Waiting
from streams.intake.continuity import Place
from streams.intake.sight import Sight

FEW = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """What a role says of itself; made in any thread, also while the role's loop is stuck.

    Args:
        positions: Next offset that is not yet dealt with, of all that was taken over.
        waiting: What it retries.
        followed: Places among them that are read without the group.
        mark: Changes with progress that positions do not show, such as folding in a takeover.
    """

    positions: Mapping[Place, int]
    waiting: Waiting
    followed: frozenset[Place] = frozenset()
    mark: Hashable = None


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the topics end.

    Args:
        offsets: The next record's offset, of what could be asked.
        fault: Why the broker did not answer, ``None`` if it did.
    """

    offsets: Mapping[Place, int]
    fault: str | None = None


def lags(sight: Sight, standing: Standing, ends: Ends) -> dict[Place, int | None]:
    """Give for each place how many records are not yet dealt with, ``None`` where unknown."""
    found: dict[Place, int | None] = {}
    for place in sorted(sight.assigned | standing.followed):
        done, end = standing.positions.get(place), ends.offsets.get(place)
        if done is None or end is None:
            found[place] = None
            continue
        read, ended = sight.read.get(place), sight.ended.get(place)
        if read is not None and ended is not None and done >= read:
            done = max(done, ended)  # behind the last record only a transaction's marker stands
        found[place] = max(0, end - max(done, 0))
    return found


def unready(sight: Sight, standing: Standing, ends: Ends) -> str | None:
    """Say why the role cannot serve now, ``None`` if it can.

    A worker that has joined and was given nothing, because others have it all, is ready.
    """
    if ends.fault is not None:
        return f"the broker has not answered: {ends.fault}"
    if not sight.joined:
        return "not a member of its group yet, or the group is being divided anew"
    waiting = standing.waiting.reason()
    if waiting is not None:
        return f"waiting for a neighbour: {waiting}"
    missing = sorted({number for topic, number in sight.assigned - standing.positions.keys()})
    if missing:
        named = ", ".join(map(str, missing[:FEW])) + (", …" if len(missing) > FEW else "")
        return f"{len(missing)} partitions are not taken over yet: {named}"
    return None
