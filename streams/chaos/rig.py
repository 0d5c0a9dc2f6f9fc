"""What a campaign strikes at: broker, warehouse, processes, files and traffic of one stack."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

from streams.chaos.keeper import Keeper
from streams.chaos.load import Load
from streams.stack.role_process import RoleProcess
from streams.stack.stack import Stack


class Server(Protocol):
    """A server that the campaign started and may therefore end."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""

    def start(self) -> object:
        """Start it, on the port and the data that it had."""

    def stop(self) -> None:
        """Stop it in order."""

    def kill(self) -> None:
        """End it at once."""


class Rig:
    """Everything that strikes need.

    Args:
        stack: The running system.
        keeper: Its supervisor.
        load: Its upstream systems.
        broker: The broker, where it is ours to end.
        spare: A desk that is not running, to be added.
    """

    def __init__(
        self, stack: Stack, keeper: Keeper, load: Load, broker: Server | None, spare: RoleProcess
    ) -> None:
        self.stack = stack
        self.keeper = keeper
        self.load = load
        self.broker = broker
        self.warehouse: Server | None = stack.engine
        self.spare = spare
        self.notes: list[str] = []
        """What a strike could not do as named, for the report."""
        self._stopping = threading.Event()
        self._locks: dict[object, threading.Lock] = {}
        self._lock = threading.Lock()

    @property
    def checkpoint_directory(self) -> Path:
        """Where the desks keep checkpoints."""
        return self.stack.settings.state_dir / "checkpoints"

    def hold(self, seconds: float) -> None:
        """Let a fault last; shorter where the campaign is given up."""
        self._stopping.wait(seconds)

    def give_up(self) -> None:
        """Have all faults lifted at once."""
        self._stopping.set()

    @contextmanager
    def alone(self, target: object) -> Iterator[None]:
        """Wait until no other strike is at work on the same target."""
        with self._lock:
            lock = self._locks.setdefault(target, threading.Lock())
        with lock:
            yield

    def one_of(self, role: str, draw: Random) -> RoleProcess:
        """Draw a worker of a role."""
        return draw.choice([each for each in self.stack.of(role) if each is not self.spare])
