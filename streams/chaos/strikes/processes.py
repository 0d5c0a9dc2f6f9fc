"""Strikes at the roles' processes and at the membership of their groups."""

import signal
from random import Random

from streams.chaos.rig import Rig


def kill(rig: Rig, role: str, draw: Random) -> str:
    """End a worker with SIGKILL; the supervisor starts it again."""
    each = rig.one_of(role, draw)
    with rig.alone(each), rig.keeper.down(each):
        each.kill()
    return each.name


def terminate(rig: Rig, role: str, draw: Random) -> str:
    """End a worker with SIGTERM; the supervisor starts it again."""
    each = rig.one_of(role, draw)
    with rig.alone(each), rig.keeper.down(each):
        each.stop()
    return each.name


def freeze(rig: Rig, role: str, draw: Random, hold_s: float) -> str:
    """Stop a worker for longer than its session, then let it go on: the zombie."""
    each = rig.one_of(role, draw)
    with rig.alone(each), rig.keeper.down(each):
        each.signal(signal.SIGSTOP)
        try:
            rig.hold(hold_s)
        finally:
            each.signal(signal.SIGCONT)
    return each.name


def add(rig: Rig, hold_s: float) -> str:
    """Let one more desk join, and leave again."""
    spare = rig.spare
    with rig.alone(spare):
        spare.start()
        try:
            rig.hold(hold_s)
        finally:
            spare.stop()
    return spare.name


def remove(rig: Rig, draw: Random, hold_s: float) -> str:
    """Let a desk leave, and come back."""
    each = rig.one_of("desk", draw)
    with rig.alone(each), rig.keeper.down(each):
        each.stop()
        rig.hold(hold_s)
    return each.name
