"""Features of many transactions as one table, for learners that want them all at once."""

from array import array
from collections.abc import Mapping
from math import nan

import numpy as np
import numpy.typing as npt

from models.features.catalogue import TRANSACTION_FEATURES

NAMES = tuple(feature.name for feature in TRANSACTION_FEATURES)


class FeatureTable:
    """Rows of features with their labels; what is unknown is nan."""

    def __init__(self) -> None:
        self._values = array("f")
        self._labels = array("b")

    def __len__(self) -> int:
        return len(self._labels)

    def add(self, features: Mapping[str, float], is_fraud: bool) -> None:
        """Add a row."""
        self._values.extend(features.get(name, nan) for name in NAMES)
        self._labels.append(is_fraud)

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """Shape (rows, features), in the catalogue's order."""
        return np.array(self._values, np.float32).reshape(len(self), len(NAMES))

    @property
    def labels(self) -> npt.NDArray[np.bool_]:
        """Whether each row was fraud."""
        return np.array(self._labels, bool)
