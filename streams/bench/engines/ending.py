"""How an engine's process ends: with its owner, at the latest."""

import os
import signal
import threading


def end_with_owner() -> None:
    """End this process with SIGTERM when its standard input closes; returns at once.

    The owner holds the other end; it closes when the owner has ended, however that came.
    """
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class Signalled:
    """True in a condition once the process was asked to end."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def __bool__(self) -> bool:
        return self._asked

    def _ask(self, *_: object) -> None:
        self._asked = True
