"""One batch after the other until a fault, then none: what the three roles have in common."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from schemas.errors import IncompatibleError, MisconfiguredError

log = structlog.get_logger(__name__)


class Turns:
    """Gives each batch its turn; a batch is never lost to an exception, the role stops instead.

    Args:
        role: For the log.
        halt: Told why the role must not go on.
    """

    def __init__(self, role: str, halt: Callable[[BaseException], None]) -> None:
        self.lock = asyncio.Lock()
        """Held during a turn; changes of ownership wait for it."""
        self._role = role
        self._halt = halt
        self._halted = False

    async def take(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work of one batch, unless the role has halted; never raises."""
        try:
            async with self.lock:
                if not self._halted:
                    await work()
        except (IncompatibleError, MisconfiguredError) as fault:
            log.error("batch_failed", role=self._role, error=str(fault))
            self.stop(fault)
        except Exception as fault:
            log.exception("batch_failed", role=self._role, error=repr(fault))
            self.stop(fault)

    def stop(self, fault: BaseException) -> None:
        """Take no more turns: what a failed batch has left half done must not be built upon."""
        self._halted = True
        self._halt(fault)

    def check(self, *failures: BaseException | None) -> None:
        """Stop if a thread has failed."""
        for failure in failures:
            if failure is not None:
                self.stop(failure)
                return
