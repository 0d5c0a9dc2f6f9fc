"""Strikes at the clock that the desks note and tick by."""

from random import Random

from streams.chaos.rig import Rig
from streams.stack.skewed_clock import skew

JUMPS_MS = (-3_600_000, -60_000, 60_000, 3_600_000, 26 * 3_600_000)


def jump(rig: Rig, draw: Random, hold_s: float) -> str:
    """Have a desk's clock jump, and come back."""
    each = rig.one_of("desk", draw)
    offset_ms = draw.choice(JUMPS_MS)
    if each.clock_path is None:
        raise AssertionError("the stack was not made skewable")
    with rig.alone(each.clock_path):
        skew(each.clock_path, offset_ms)
        try:
            rig.hold(hold_s)
        finally:
            skew(each.clock_path, 0)
    return f"{each.name}, {offset_ms // 60_000:+d} min"
