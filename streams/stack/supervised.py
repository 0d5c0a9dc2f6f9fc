"""A role that ends when its owner is gone: ``python -m streams.stack.supervised ROLE``.

The owner holds the other end of standard input; when that closes, the owner has ended.
"""

import os
import signal
import sys
import threading

from streams.process import run
from streams.settings import load


def _end_with_owner() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_owner, daemon=True).start()
    run(sys.argv[1], load())
