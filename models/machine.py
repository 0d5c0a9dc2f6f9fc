"""Names what computes: bits are promised to be equal within one machine name only.

Versions alone do not tell: numpy chooses its loops by the processor, and two processors round the
last bit of a logarithm differently. So the name ends with a digest of such results.
"""

import math
import platform
import sys
from functools import lru_cache
from importlib.metadata import version

import numpy as np

from models.learners.digest import digest_content

SAMPLES = 4_099
"""Not a multiple of any vector width, so that the loops' remainders count too."""


@lru_cache(maxsize=1)
def machine_name() -> str:
    """Return system, versions and a digest of this machine's arithmetic, one line."""
    libc = "-".join(platform.libc_ver()) or "libc"
    return (
        f"{sys.platform}-{platform.machine()} {libc} "
        f"python-{sys.version_info.major}.{sys.version_info.minor} "
        f"numpy-{np.__version__} river-{version('river')} arithmetic-{digest_arithmetic()[:8]}"
    )


def digest_arithmetic() -> str:
    """Return a digest of what the functions that the learners use give for fixed arguments."""
    wide = (np.arange(SAMPLES, dtype=np.float64) + 1.0) / 7.0
    small = wide.astype(np.float32)
    plain = wide[:256].tolist()
    return digest_content(
        [np.log(wide), np.log(small), np.exp(-wide), np.exp(-small), np.sqrt(small)],
        [np.add.reduce(wide * wide), np.add.reduce(small * small), wide[:512] @ wide[512:1024]],
        [[math.log(x), math.exp(-x), math.sqrt(x), math.asinh(x), x**0.3] for x in plain],
        [math.erf(x) for x in plain],
        np.einsum("i,ij->j", small[:51], small[51 : 51 + 51 * 79].reshape(51, 79)),
    )
