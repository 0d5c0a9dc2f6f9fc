"""A role as a process of its own, which does not outlive whoever started it."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from schemas.errors import UnavailableError
from streams.settings import Settings

STOP_PATIENCE_S = 20.0
STATUS_PATIENCE_S = 5.0


class RoleProcess:
    """Starts, stops, kills and asks one worker.

    Args:
        role: ``desk``, ``publisher`` or ``archiver``.
        settings: Handed over as environment variables.
        log_path: Where its log lines go.
        clock_path: The file of a clock that can be made to jump, if it has one.
    """

    def __init__(
        self, role: str, settings: Settings, log_path: Path, clock_path: Path | None = None
    ) -> None:
        self.role = role
        self.settings = settings
        self.log_path = log_path
        self.clock_path = clock_path
        self.unanswered_starts = 0
        """Starts since it last told how it stands."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Role and worker."""
        return f"{self.role}/{self.settings.worker}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self.alive and self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """How the process ended, negative after a signal; ``None`` while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the process, again if it has ended."""
        self._close()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as file:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streams.stack.supervised", self.role),
                    *([str(self.clock_path)] if self.clock_path else []),
                ],
                env={**os.environ, **environment(self.settings)},
                stdin=subprocess.PIPE,  # closes when we end, and the role ends with it
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C reaches the owner, which stops us in order
            )
        self.unanswered_starts += 1

    def stop(self) -> None:
        """End the process in order; kill it where it does not end."""
        if self._process is None:
            return
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End the process without a chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def status(self, patience_s: float = STATUS_PATIENCE_S) -> dict[str, Any]:
        """Ask the role how it stands.

        Raises:
            UnavailableError: it does not answer (yet).
        """
        port = getattr(self.settings, self.role).web_port
        url = f"http://{self.settings.web_host}:{port}/status"
        try:
            with urllib.request.urlopen(url, timeout=patience_s) as answer:
                status = cast(dict[str, Any], json.load(answer))
        except (OSError, ValueError, urllib.error.URLError) as fault:
            raise UnavailableError(f"{self.name} does not answer: {fault}") from fault
        self.unanswered_starts = 0
        return status

    def last_words(self, line_count: int = 15) -> str:
        """Give the end of its log."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-line_count:])


def environment(settings: Settings) -> dict[str, str]:
    """Give settings as the environment variables that make them."""
    found: dict[str, str] = {}

    def visit(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                visit(f"{prefix}__{name.upper()}", inner)
        elif isinstance(value, SecretStr):
            found[prefix] = value.get_secret_value()
        elif value is not None:
            found[prefix] = str(value)

    for name, value in settings.model_dump().items():
        visit(f"RIVERDESK_{name.upper()}", value)
    return found
