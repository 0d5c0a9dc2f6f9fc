"""Installs Apache Kafka from Maven Central into `.kafka/`, once: ``make kafka``."""

import hashlib
import shutil
import subprocess
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
CACHE_DIR = Path(__file__).parents[2] / ".kafka"
LIBS_DIR = CACHE_DIR / "libs"


def missing() -> list[str]:
    """Give what a real Kafka needs and this machine lacks; empty when it can be started."""
    lacking = [] if shutil.which("java") else ["java"]
    return lacking if _is_complete() else [*lacking, "its jars (make kafka)"]


def missing_tools() -> list[str]:
    """Give the programs that :func:`fetch` and a server need and this machine lacks."""
    needed = ["java"] if _is_complete() else ["java", "mvn"]
    return [name for name in needed if shutil.which(name) is None]


def fetch() -> Path:
    """Give the directory of Kafka's jars, filled on the first call; later calls do nothing.

    Raises:
        RuntimeError: Maven failed; the message ends with what it said.
    """
    if _is_complete():
        return LIBS_DIR
    shutil.rmtree(LIBS_DIR, ignore_errors=True)
    LIBS_DIR.mkdir(parents=True)
    command = ["mvn", "-q", "-B", "-ntp", "-f", str(_POM), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={LIBS_DIR}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"mvn could not fetch Apache Kafka: {(run.stdout + run.stderr)[-2000:]}")
    _stamp().write_text(_digest())
    return LIBS_DIR


def _is_complete() -> bool:
    return _stamp().is_file() and _stamp().read_text() == _digest()


def _stamp() -> Path:
    return LIBS_DIR / "complete"


def _digest() -> str:
    return hashlib.sha256(_POM.read_bytes()).hexdigest()


if __name__ == "__main__":
    fetch()
