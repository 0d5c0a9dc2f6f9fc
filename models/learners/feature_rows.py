"""A table of weights with a row for each hashed feature met so far and a column for each class."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.learners.text import Indices, Values

Rows = npt.NDArray[np.intp]

_FIRST_ROWS = 256
_COLUMN_STEP = 8


class FeatureRows:
    """Float32 weights in one or more layers, grown as features and classes arrive.

    A feature gets its own row when it is first learned; row 0 belongs to the features that
    never were, and stays 0. When a layer holds `max_cells` cells, further features share the
    rows there are, as hashing to fewer bits would have it. Of two features of one text that
    share a row, the last teaches it.

    Args:
        bits: features are ints in ``[0, 2**bits)``.
        layer_count: weights per feature and class.
        max_cells: cells (features x classes) of 4 bytes per layer, from which on no row is
            added; columns are added until four times as many.
    """

    def __init__(self, bits: int, layer_count: int, max_cells: int) -> None:
        self.max_cells = max_cells
        self.row_count = 1
        self.column_capacity = _COLUMN_STEP
        self.layers = [
            np.zeros((_FIRST_ROWS, _COLUMN_STEP), np.float32) for _ in range(layer_count)
        ]
        self._row_of = np.zeros(1 << bits, np.int32)

    def find(self, indices: Indices) -> Rows:
        """Return the features' rows, 0 where a feature has none."""
        return self._row_of.take(indices).astype(np.intp)

    def assign(self, indices: Indices) -> Rows:
        """Return the features' rows, after giving one to each feature that has none."""
        rows = self.find(indices)
        new = indices[rows == 0]
        if not len(new):
            return rows
        limit = max(self.max_cells // self.column_capacity, _FIRST_ROWS)
        own = new[: max(limit - self.row_count, 0)]
        self._row_of[own] = np.arange(self.row_count, self.row_count + len(own), dtype=np.int32)
        self.row_count += len(own)
        if len(own) < len(new):
            shared = new[len(own) :]
            self._row_of[shared] = 1 + shared % (self.row_count - 1)
        self._reserve_rows(limit)
        return self.find(indices)

    def add_columns(self, count: int) -> bool:
        """Make room for ``count`` columns; False, and nothing changes, when that is too many."""
        capacity = self.column_capacity
        while capacity < count:
            capacity += max(_COLUMN_STEP, capacity // 8 // _COLUMN_STEP * _COLUMN_STEP)
        if capacity > self.column_capacity:
            if self.row_count * capacity > 4 * self.max_cells:
                return False
            self._resize(len(self.layers[0]), capacity)
        return True

    def content(self) -> list[object]:
        """Return everything that is not zero, in plain arrays, for digests."""
        met = np.flatnonzero(self._row_of)
        return [
            [self.max_cells, self.row_count, self.column_capacity, len(self._row_of)],
            met.astype(np.int32),
            self._row_of[met],
            *(layer[: self.row_count] for layer in self.layers),
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "layers": [layer[: self.row_count] for layer in self.layers]}

    def _reserve_rows(self, limit: int) -> None:
        capacity = len(self.layers[0])
        if self.row_count > capacity:
            wanted = max(self.row_count, min(capacity + capacity // 2, limit))
            self._resize(wanted, self.column_capacity)

    def _resize(self, row_capacity: int, column_capacity: int) -> None:
        for at, layer in enumerate(self.layers):
            larger = np.zeros((row_capacity, column_capacity), np.float32)
            kept = layer[: self.row_count]
            larger[: len(kept), : kept.shape[1]] = kept
            self.layers[at] = larger
        self.column_capacity = column_capacity


def weigh_rows(rows: Values, values: Values) -> npt.NDArray[np.float32]:
    """Return the sum of the rows times their values; equal on machines of one `machine_name`."""
    total: npt.NDArray[np.float32] = np.einsum("i,ij->j", values, rows)
    return total
