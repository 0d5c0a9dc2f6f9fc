"""The stand-in for Apache Kafka: `noida-db` as its own process on loopback.

Only this module knows which broker it is (see docs/decisions/0002-embedded-broker.md). The broker
runs behind the gateway, which spares idle consumers a busy loop and ends with its owner.
"""

import importlib.util
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import MisconfiguredError, UnavailableError

_HOST = "127.0.0.1"
_PACKAGE = "noida_db"
_GATEWAY = Path(__file__).with_name("gateway.py")


class EmbeddedBroker:
    """A Kafka-protocol broker on loopback that never outlives its owner.

    What is stored survives `stop` but not a kill: the stand-in saves its state every second or
    two and when it is told to end. It holds everything in memory.

    Args:
        data_dir: Directory of the broker's state and log; made if it is missing.
        port: Port to listen on, or None for a free one.
        start_timeout_s: How long to wait for the first answer, > 0.
        grace_s: How long `stop` waits for the state to be saved before it kills, >= 0.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        start_timeout_s: float = 30.0,
        grace_s: float = 15.0,
    ) -> None:
        self._data_dir = data_dir
        self._port = port or 0
        self._start_timeout_s = start_timeout_s
        self._grace_s = grace_s
        self._process: subprocess.Popen[str] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``127.0.0.1:PORT``.

        Raises:
            UnavailableError: The broker has not been started.
        """
        if self._process is None:
            raise UnavailableError("the embedded broker is not running")
        return f"{_HOST}:{self._port}"

    def start(self) -> Self:
        """Start the broker and wait until it answers metadata; does nothing if it runs.

        Raises:
            MisconfiguredError: The broker's package is missing or the port is taken.
            UnavailableError: It did not answer in time; what it said is in ``broker.log``.
        """
        if self._process is not None:
            return self
        program = _program()
        if self._port and not _is_free(self._port):
            raise MisconfiguredError(f"port {self._port} on {_HOST} is taken: choose another port")
        self._data_dir.mkdir(parents=True, exist_ok=True)
        log = self._data_dir / "broker.log"
        inner_port = _free_port()
        broker = [str(program), "start", "--only", "kafka", "--kafka-port", str(inner_port)]
        broker += ["--data-dir", str(self._data_dir)]
        gateway = [sys.executable, "-P", str(_GATEWAY), str(self._port), str(inner_port)]
        gateway += [str(log), str(self._grace_s)]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                gateway + broker,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C reaches the owner alone, who stops in order
            )
        try:
            self._await_answer(time.monotonic() + self._start_timeout_s)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the broker: politely, after the grace by force; does nothing if it is stopped."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self._grace_s + 2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _await_answer(self, deadline_s: float) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        wait_s = max(0.0, deadline_s - time.monotonic())
        readable, _, _ = select.select([self._process.stdout], [], [], wait_s)
        line = self._process.stdout.readline() if readable else ""
        if not line.startswith("ready "):
            log = self._data_dir / "broker.log"
            raise UnavailableError(f"the embedded broker did not start; see {log}")
        self._port = int(line.removeprefix("ready "))
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        try:
            client.list_topics(timeout=max(1.0, deadline_s - time.monotonic()))
        except KafkaException as error:
            raise UnavailableError(f"the embedded broker does not answer: {error}") from error


def _program() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    name = "noida-db.exe" if os.name == "nt" else "noida-db"
    for place in places or ():
        program = Path(place, name)
        if program.is_file():
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
            return program
    raise MisconfiguredError("the embedded broker is not installed: pip install 'noida-db>=0.2.3'")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
