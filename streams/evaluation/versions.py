"""What made a figure: the versions that its report names."""

import importlib.metadata
import platform

from models.version import CORE_VERSION


def versions() -> dict[str, str]:
    """Name core, libraries and Python."""
    return {
        "core": CORE_VERSION,
        "river": importlib.metadata.version("river"),
        "numpy": importlib.metadata.version("numpy"),
        "python": platform.python_version(),
    }
