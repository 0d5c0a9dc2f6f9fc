"""How a role keeps its memory: what was measured to cost most when nobody looks after it.

Learners, policies and customers are millions of objects that never become garbage. Python's
collector would walk over all of them again and again, a tenth of a second each time, while events
wait. And glibc gives the memory of every batch back to the kernel, to ask for it again with the
next one: 3 of the 4 µs that it takes to write and keep a record of 400 bytes.
"""

import ctypes
import gc
from contextlib import suppress

YOUNG = 50_000
"""Objects made before the young ones are looked through; CPython has 700 (2,000 from 3.13 on)."""
YOUNG_WHERE_ROWS_WAIT = 1_000_000
"""The same of a role that collects rows by the ten thousand and lets them go together."""
MIDDLE, OLD = 20, 100
KEPT_FREE_BYTES = 64 * 1024 * 1024
"""At the heap's end; more than a batch takes."""
M_TRIM_THRESHOLD = -1
"""Of glibc's ``mallopt``."""


def keep_what_is_freed() -> None:
    """Have the C library keep the memory of a batch for the next one; glibc only."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, KEPT_FREE_BYTES)


def collect_rarely(young: int = YOUNG) -> None:
    """Leave alone what is there now, and look at what comes less often; when a role is open.

    Args:
        young: Objects made before the young ones are looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, MIDDLE, OLD)
