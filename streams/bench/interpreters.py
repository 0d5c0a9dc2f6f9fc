"""The interpreters that engines run with, and what is installed for them.

Two peers cannot share an environment with Riverdesk (``peers.txt`` says why); everything else runs
with Riverdesk's own interpreter.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.errors import UnavailableError

SAME_WORK = ("river", "numpy", "scipy", "orjson")
"""What the fixed job spends its time in: figures compare only if both have the same."""

TOLD = (
    "riverdesk",
    *SAME_WORK,
    "confluent-kafka",
    "faust-streaming",
    "aiokafka",
    "quixstreams",
    "bytewax",
)
PATIENCE_S = 30.0

_ASK = """
import platform, sys
from importlib.metadata import PackageNotFoundError, version
print("python", platform.python_version())
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        pass
"""


def default_peers_python(prefix: Path) -> str:
    """Give the interpreter of the peers' environment, or our own where there is none.

    Args:
        prefix: Of our own environment; the peers' lies beside it and has ``-bench`` to its name.
    """
    path = prefix.with_name(f"{prefix.name}-bench") / "bin" / "python"
    return str(path) if path.exists() else sys.executable


def versions(python: str, packages: Sequence[str] = TOLD) -> dict[str, str]:
    """Give the versions of Python (under ``python``) and of those packages that are installed.

    Raises:
        UnavailableError: the interpreter does not run.
    """
    command = [python, "-c", _ASK, *packages]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
    except (OSError, subprocess.SubprocessError) as fault:
        raise UnavailableError(f"{python} does not run: {fault}") from fault
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


def differing(own: Mapping[str, str], peers: Mapping[str, str]) -> list[str]:
    """Give what the fixed job spends its time in and has two versions of.

    >>> differing({"river": "0.26.1", "orjson": "3.13"}, {"river": "0.26.0", "orjson": "3.13"})
    ['river 0.26.1 and 0.26.0']
    """
    return [
        f"{name} {own[name]} and {peers[name]}"
        for name in ("python", *SAME_WORK)
        if name in own and name in peers and own[name] != peers[name]
    ]
