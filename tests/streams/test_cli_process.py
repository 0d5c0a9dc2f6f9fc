"""Commands as a person runs them: in a process of their own, where libraries could write too."""

import socket
import subprocess
import sys

from streams.cli.main import AWAY


def test_absent_warehouse_is_one_line_whoever_would_like_to_write() -> None:
    with socket.socket() as taken:  # bound and not listening: refused at once
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "streams.cli.main", "sql", "SELECT 1", "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == AWAY
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1, run.stderr
    assert run.stderr.startswith("riverdesk: ")
