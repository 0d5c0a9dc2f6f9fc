import json
import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from streams.logs import configure
from streams.settings import Settings

configure(Settings(log_format={format!r}))
log = structlog.get_logger("t")

def fail(payload):
    raise ValueError("no")

try:
    fail("4111 1111 1111 1111")
except ValueError:
    log.exception("batch_failed", took_ms=3)
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_traceback_in_the_log_shows_no_payload(log_format: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(format=log_format)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "batch_failed" in done.stderr
    assert "ValueError" in done.stderr
    assert "in fail" in done.stderr
    assert "4111 1111 1111 1111" not in done.stderr.replace('fail("4111 1111 1111 1111")', "")
    if log_format == "json":
        assert json.loads(done.stderr.splitlines()[-1])["took_ms"] == 3
