"""Strikes at the broker and at the warehouse."""

import os
import signal
from collections.abc import Callable
from random import Random

from schemas.errors import UnavailableError
from streams.chaos.rig import Rig, Server
from streams.warehouse import open_warehouse

TRIES = 60
TABLES = ("journal_entries", "transaction_decisions", "ticket_decisions", "lessons", "alerts")
"""Those that are worth striking at: something is inserted all the time."""


def kill(rig: Rig, server: Server, hold_s: float) -> str:
    """End a server with SIGKILL and start it again."""
    return _down(rig, server, server.kill, hold_s)


def restart(rig: Rig, server: Server, hold_s: float) -> str:
    """Stop a server in order and start it again."""
    return _down(rig, server, server.stop, hold_s)


def freeze(rig: Rig, server: Server, hold_s: float) -> str:
    """Stop a server for a while with everything it has in hand, then let it go on."""
    with rig.alone(server):
        pid = server.pid
        if pid is not None:
            os.kill(pid, signal.SIGSTOP)
            try:
                rig.hold(hold_s)
            finally:
                os.kill(pid, signal.SIGCONT)
    return f"frozen for {hold_s:.0f} s"


def make_read_only(rig: Rig, server: Server, draw: Random, hold_s: float) -> str:
    """Have a table refuse inserts for a while."""
    table = draw.choice(TABLES)
    setting = f"ALTER TABLE {table} MODIFY SETTING table_readonly ="
    _altered(rig, server, f"{setting} 1", f"{setting} 0", hold_s)
    return table


def take_table(rig: Rig, server: Server, draw: Random, hold_s: float) -> str:
    """Have a table missing for a while."""
    table = draw.choice(TABLES)
    taken = f"{table}_taken"
    _altered(
        rig, server, f"RENAME TABLE {table} TO {taken}", f"RENAME TABLE {taken} TO {table}", hold_s
    )
    return table


def _altered(rig: Rig, server: Server, statement: str, undo: str, hold_s: float) -> None:
    with rig.alone(server):
        _execute(rig, statement)
        try:
            rig.hold(hold_s)
        finally:
            _execute(rig, undo)


def _down(rig: Rig, server: Server, end: Callable[[], None], hold_s: float) -> str:
    with rig.alone(server):
        end()
        rig.hold(hold_s)
        server.start()
    return f"away for {hold_s:.0f} s"


def _execute(rig: Rig, statement: str) -> None:
    def once() -> None:
        warehouse = open_warehouse(rig.stack.settings.warehouse)
        try:
            warehouse.execute(statement)
        finally:
            warehouse.close()

    _patiently(rig, once)


def _patiently(rig: Rig, work: Callable[[], None]) -> None:
    for _ in range(TRIES):
        try:
            work()
        except UnavailableError as fault:
            rig.hold(fault.retry_after_s)
        else:
            return
    work()
