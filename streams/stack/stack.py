"""The whole system on this machine: embedded servers (or given ones) and roles as processes."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from schemas.errors import UnavailableError
from sinks.embedded.process import EmbeddedClickHouse
from sinks.migrate import migrate
from streams.embedded.broker import EmbeddedBroker
from streams.roles import ROLES
from streams.settings import Settings, TopicSettings
from streams.stack.ports import free_ports
from streams.stack.role_process import RoleProcess
from streams.stack.skewed_clock import skew
from streams.topics import create_topics
from streams.warehouse import open_warehouse

SMALL_PARTITIONS = 4
START_PATIENCE_S = 60.0
RESTARTS = 5
"""So many restarts of one role without an answer in between, then the stack gives up on it."""


def on_this_machine(settings: Settings, clock: Literal["wall", "events"]) -> Settings:
    """Give settings for a small stack: few partitions, unless their number was set.

    Every write to the stand-in broker wakes everyone who waits for any partition.
    """
    changes: dict[str, object] = {"desk": settings.desk.model_copy(update={"clock": clock})}
    if "topics" not in settings.model_fields_set:
        changes["topics"] = TopicSettings(partitions=SMALL_PARTITIONS)
    return settings.model_copy(update=changes)


class Stack:
    """Starts everything in order and stops it in the opposite order.

    Args:
        settings: Ports and addresses in it are replaced by those of the embedded servers.
        directory: Everything that is written lies below it.
        embedded_broker: Start the stand-in broker; otherwise use the settings' broker.
        embedded_warehouse: Start the in-process engine; otherwise use the settings' server.
        desks: Number of desk workers.
        skewable: Give each role a clock of its own that can be made to jump.
        tell: Takes one line for people at each step.

    Attributes:
        engine: The in-process engine, where it was started.
        roles: All role processes.
        restarted: The names of those that had to be started again.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        *,
        embedded_broker: bool = True,
        embedded_warehouse: bool = True,
        desks: int = 1,
        skewable: bool = False,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.roles: list[RoleProcess] = []
        self.restarted: list[str] = []
        self._embedded_broker = embedded_broker
        self._embedded_warehouse = embedded_warehouse
        self.engine: EmbeddedClickHouse | None = None
        self._desks = desks
        self._skewable = skewable
        self._tell = tell
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start everything.

        Raises:
            UnavailableError, MisconfiguredError: something could not be started; nothing is left.
        """
        try:
            self._start_servers()
            self._prepare()
            self._start_roles()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, roles first."""
        self._open.close()

    def of(self, role: str) -> Sequence[RoleProcess]:
        """Give the processes of a role."""
        return [each for each in self.roles if each.role == role]

    def add(self, role: str, number: int) -> RoleProcess:
        """Add a worker, not yet started."""
        taken = {getattr(each.settings, each.role).web_port for each in self.roles}
        port = next(port for port in free_ports(len(taken) + 1) if port not in taken)
        config = getattr(self.settings, role).model_copy(update={"web_port": port})
        worker = f"{role}-{number}"
        settings = self.settings.model_copy(update={role: config, "worker": worker})
        clock_path = None
        if self._skewable:
            clock_path = self.directory / "clocks" / worker
            skew(clock_path, 0)
        log_path = self.directory / "logs" / f"{worker}.log"
        each = RoleProcess(role, settings, log_path, clock_path)
        self.roles.append(each)
        return each

    def tend(self) -> None:
        """Start again what died.

        Raises:
            UnavailableError: a role keeps dying; its last log lines are in the message.
        """
        for each in self.roles:
            if not each.alive:
                if each.unanswered_starts > RESTARTS:
                    raise UnavailableError(
                        f"{each.name} died {each.unanswered_starts} times:\n{each.last_words()}"
                    )
                self.restarted.append(each.name)
                each.start()

    def _start_servers(self) -> None:
        changes: dict[str, object] = {}
        if self._embedded_broker:
            broker = self._open.enter_context(EmbeddedBroker(self.directory / "broker"))
            changes["kafka"] = self.settings.kafka.model_copy(
                update={"bootstrap": broker.bootstrap}
            )
            self._tell(f"broker on {broker.bootstrap}")
        if self._embedded_warehouse:
            engine = EmbeddedClickHouse(self.directory / "clickhouse")
            self.engine = self._open.enter_context(engine)
            changes["warehouse"] = self.settings.warehouse.model_copy(
                update={"host": engine.host, "port": engine.port}
            )
            self._tell(f"ClickHouse on {engine.host}:{engine.port}")
        self.settings = self.settings.model_copy(
            update={**changes, "state_dir": self.directory / "state"}
        )

    def _prepare(self) -> None:
        made = create_topics(self.settings.kafka, self.settings.topics)
        self._tell(f"{len(made)} topics created")
        warehouse = open_warehouse(self.settings.warehouse)
        try:
            warehouse.create_database()
            self._tell(f"{len(migrate(warehouse))} migrations applied")
        finally:
            warehouse.close()

    def _start_roles(self) -> None:
        workers = [("desk", number) for number in range(1, self._desks + 1)]
        workers += [(role, 1) for role in ROLES if role != "desk"]
        self._open.callback(self.stop_roles)
        for role, number in workers:
            self.add(role, number).start()
        self._wait_answers()
        self._tell(f"{len(workers)} roles started")

    def stop_roles(self) -> None:
        """Stop all roles in order; servers run on."""
        for each in self.roles:
            each.signal(signal.SIGTERM)  # all at once; each then has its time to end
        for each in self.roles:
            each.stop()

    def _wait_answers(self) -> None:
        deadline = time.monotonic() + START_PATIENCE_S
        waiting = list(self.roles)
        while waiting:
            try:
                waiting[0].status()
                waiting.pop(0)
            except UnavailableError as fault:
                if time.monotonic() > deadline:
                    words = waiting[0].last_words()
                    raise UnavailableError(f"{waiting[0].name} did not start:\n{words}") from fault
                self.tend()
                time.sleep(0.05)
