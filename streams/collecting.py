"""How often the garbage collector looks: what a role keeps is kept for good.

Learners, policies and customers are millions of objects that never become garbage. Python's
collector would walk over all of them again and again, a tenth of a second each time, while events
wait.
"""

import gc

YOUNG = 50_000
"""Objects made before the young ones are looked through; CPython has 700 (2,000 from 3.13 on)."""
MIDDLE, OLD = 20, 100


def collect_rarely() -> None:
    """Leave alone what is there now, and look at what comes less often; when a role is open."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
