"""A real Apache Kafka for tests and campaigns: one KRaft node on free loopback ports."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import MisconfiguredError
from streams.local_kafka.fetch import LIBS_DIR, missing

_HOST = "127.0.0.1"
_JAVA_OPTIONS = [
    "-Xms256m",
    "-Xmx512m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Xshare:auto",
]
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    # A killed broker's registration must lapse before the next start is let in.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "300",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.segment.bytes": "1048576",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.segment.bytes": "1048576",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.segment.bytes": "16777216",
    "log.index.size.max.bytes": "65536",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.cleaner.threads": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}
_LOGGING = """\
status = ERROR
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c - %m%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
"""
_FORMAT = ["kafka.tools.StorageTool", "format", "--ignore-formatted"]
_PR_SET_PDEATHSIG = 1


class KafkaServer:
    """A single Apache Kafka 4 node; its data and its port stay the same over restarts.

    Args:
        data_dir: Directory for the log, the settings and `server.log`; made if it is missing.
        start_timeout_s: How long to wait for the first answer, > 0.
        grace_s: How long `stop` waits before it kills, >= 0.
        settings: Broker settings on top of the defaults for tests.
        java_options: Of the Java machine, on top of those for tests.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        start_timeout_s: float = 60.0,
        grace_s: float = 20.0,
        settings: dict[str, str] | None = None,
        java_options: Sequence[str] = (),
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._start_timeout_s = start_timeout_s
        self._grace_s = grace_s
        self._settings = settings or {}
        self._java_options = [*_JAVA_OPTIONS, *java_options]
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # A child dies with the thread that started it: this one lives as long as we do.
        self._launcher = ThreadPoolExecutor(1, "kafka-launcher")

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``127.0.0.1:PORT``."""
        return f"{_HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def log(self) -> Path:
        """What the server said, over all its starts."""
        return self._data_dir / "server.log"

    def start(self) -> Self:
        """Format the storage if it is new, start the server and wait until it answers.

        Raises:
            MisconfiguredError: Java or Kafka's jars are missing.
            RuntimeError: It ended early or did not answer in time.
        """
        if self._process is not None:
            return self
        if lacking := missing():
            raise MisconfiguredError(f"a real Kafka needs {' and '.join(lacking)}")
        properties = self._configure()
        java = [
            "java",
            *self._java_options,
            f"-Dlog4j2.configurationFile={self._data_dir}/log4j2.properties",
        ]
        java += ["-cp", f"{LIBS_DIR}/*"]
        if not (self._data_dir / "log" / "meta.properties").is_file():
            cluster_id = (
                urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
            )
            run = subprocess.run(
                [*java, *_FORMAT, "-t", cluster_id, "-c", str(properties)],
                capture_output=True,
                text=True,
                check=False,
            )
            if run.returncode != 0:
                raise RuntimeError(f"Kafka's storage was not formatted: {run.stdout}{run.stderr}")
        command = [*java, "kafka.Kafka", str(properties)]
        self._process = self._launcher.submit(self._launch, command).result()
        try:
            self._await_answer()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End the server in order (SIGTERM), after the grace by force."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End the server at once (SIGKILL), as a crash would; `start` brings it back."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )

    def _configure(self) -> Path:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        properties = self._data_dir / "server.properties"
        if not properties.is_file():
            controller = f"{_HOST}:{_free_port()}"
            settings = {
                **_SETTINGS,
                "controller.quorum.voters": f"1@{controller}",
                "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
                "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
                "log.dirs": str(self._data_dir / "log"),
                **self._settings,
            }
            properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
            (self._data_dir / "log4j2.properties").write_text(_LOGGING)
        return properties

    def _await_answer(self) -> None:
        assert self._process is not None
        deadline_s = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline_s:
            if self._process.poll() is not None:
                raise RuntimeError(f"Kafka ended early: {self.log.read_text()[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection((_HOST, self._port), 1.0):
                break
            time.sleep(0.05)
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        while True:
            try:
                if client.list_topics(timeout=5.0).brokers:
                    return
            except KafkaException:
                pass
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"Kafka does not answer: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> Callable[[], None] | None:
    """For the child between fork and exec: SIGKILL when the tests are killed (Linux only)."""
    if not Path("/proc/self").exists() or os.name != "posix":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
