"""Runs one role as this process, until a signal or a reason not to go on."""

import os
import signal
import sys
from collections.abc import Callable

import faust
import structlog

from models import core as riverdesk
from models.verbs import Core
from streams import logs
from streams.memory import keep_what_is_freed
from streams.role import now_ms
from streams.roles import make_role
from streams.settings import Settings

log = structlog.get_logger(__name__)

HALTED = 3
"""Exit status of a role that must not go on as it is."""


def run(
    role: str,
    settings: Settings,
    clock: Callable[[], int] = now_ms,
    core: Core = riverdesk,
) -> None:
    """Run a role in the foreground; does not return.

    Args:
        role: ``desk``, ``publisher`` or ``archiver``.
        settings: All settings.
        clock: Milliseconds since the epoch.
        core: What the desk decides and folds with.

    The watchdog ends the process with status 4 where it is stuck.

    Raises:
        SystemExit: 0 after a signal, 3 if the role halted.
    """
    logs.configure(settings)
    keep_what_is_freed()
    halted: list[BaseException] = []

    def halt(fault: BaseException) -> None:
        if not halted:
            halted.append(fault)
            log.error("role_halted", role=role, error=str(fault))
            os.kill(os.getpid(), signal.SIGTERM)

    app = make_role(role, settings, halt, clock, core)
    log.info("role_started", role=role, worker=settings.worker, broker=settings.kafka.bootstrap)
    worker = faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False)
    try:
        worker.execute_from_commandline()
    except SystemExit:
        if not halted:
            raise
    sys.exit(HALTED if halted else 0)
