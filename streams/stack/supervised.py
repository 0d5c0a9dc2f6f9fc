"""A role that ends when its owner is gone: ``python -m streams.stack.supervised ROLE [CLOCK]``.

The owner holds the other end of standard input; when that closes, the owner has ended. ``CLOCK``
is the file of a :class:`streams.stack.skewed_clock.SkewedClock`.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from schemas.errors import UnavailableError
from streams.process import run
from streams.role import now_ms
from streams.settings import load
from streams.stack.skewed_clock import SkewedClock


def _end_with_owner() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_owner, daemon=True).start()
    role, *clock = sys.argv[1:]
    try:
        run(role, load(), SkewedClock(Path(clock[0])) if clock else now_ms)
    except UnavailableError as fault:
        sys.stderr.write(f"{role} not started: {fault}\n")
        sys.exit(os.EX_TEMPFAIL)  # a neighbour was away: try again
