"""The embedded ClickHouse as a child process that ends with its parent."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.errors import MisconfiguredError, UnavailableError

_START_S: Final = 60.0
_STOP_S: Final = 15.0
_ROOT: Final = Path(__file__).resolve().parents[2]
_INSTALL: Final = "python -m pip install 'riverdesk[embedded]'"
_MODULE: Final = "sinks.embedded.server"


class EmbeddedClickHouse:
    """A ClickHouse engine on loopback behind the native protocol.

    Use as a context manager, or call `start` and `stop`.

    Args:
        data_dir: Where it keeps its data; made if missing. Its log is `server.log` in there.
        port: A fixed port, or None for any free one.
    """

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.host: str = "127.0.0.1"
        self.port: int = port or 0
        self.data_dir = data_dir
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        """Start the process and wait until it answers (about a second).

        Raises:
            MisconfiguredError: The engine is not installed, or the process refused to start.
            UnavailableError: It did not answer in time.
        """
        if importlib.util.find_spec("chdb") is None:
            raise MisconfiguredError(
                f"the embedded ClickHouse needs the package chdb-core-lite: {_INSTALL}"
            )
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log_path = self.data_dir / "server.log"
        command = [sys.executable, "-m", _MODULE, "--data", str(self.data_dir.resolve())]
        command += ["--port", str(self.port), "--stop-with-parent"]
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        line = self._first_line()
        if not line.startswith(b"ready "):
            self.stop()
            tail = log_path.read_text(errors="replace").strip().splitlines()[-3:]
            reason = " / ".join(tail) or "it said nothing"
            raise MisconfiguredError(f"the embedded ClickHouse did not start: {reason}")
        self.port = int(line.split()[1])

    def _first_line(self) -> bytes:
        """Return the child's first line of output, `b""` if it ended without one."""
        assert self._process is not None
        assert self._process.stdout is not None
        lines: list[bytes] = []
        reader = threading.Thread(
            target=lambda stream: lines.append(stream.readline()),
            args=(self._process.stdout,),
            daemon=True,
        )
        reader.start()
        reader.join(_START_S)
        if reader.is_alive():
            self.kill()
            raise UnavailableError(f"the embedded ClickHouse did not answer in {_START_S:.0f} s")
        return lines[0]

    def stop(self) -> None:
        """Stop the process cleanly: running statements end first. Does nothing when it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def _forget(self) -> None:
        assert self._process is not None
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
