"""Classes of texts: a softmax regression on hashed features that learns while it runs."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.learners.digest import digest_content
from models.learners.text import (
    DEFAULT_BITS,
    HashedText,
    Indices,
    Values,
    hash_text,
    normalise_blocks,
    terms,
)

BIAS = "(bias)"
REST = "(rest)"
_FIRST_CAPACITY = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Memory:
    """What replay needs of a text: its features and its label's column."""

    indices: Indices
    counts: Values
    word_count: int
    column: int


class HashedSoftmaxClassifier:
    """Multi-class classifier of short texts with River's API; classes grow on first sight.

    Softmax regression by plain SGD at a constant rate on `HashedText` features weighted by an
    online inverse document frequency. After each lesson `replay` earlier ones, drawn from a
    seeded reservoir, are learned again. All sums run in a fixed order and state is touched by
    `learn_one` only, so equal lessons give equal bits.

    Args:
        bits: features are hashed to ``2**bits`` indices; weights take
            ``2**bits * 4`` bytes per class (capacity doubles as classes arrive).
        learning_rate: SGD rate of the weights.
        bias_rate: SGD rate of the biases.
        replay: remembered lessons learned again per lesson.
        reservoir_size: remembered lessons at most.
        max_classes: labels first seen when this many are known are not learned.
        seed: of the reservoir's own generator.
    """

    def __init__(
        self,
        *,
        bits: int = DEFAULT_BITS,
        learning_rate: float = 2.5,
        bias_rate: float = 0.1,
        replay: int = 1,
        reservoir_size: int = 4_000,
        max_classes: int = 512,
        seed: int = 0,
    ) -> None:
        self.bits = bits
        self.learning_rate = learning_rate
        self.bias_rate = bias_rate
        self.replay = replay
        self.reservoir_size = reservoir_size
        self.max_classes = max_classes
        self._rng = random.Random(seed)
        self._labels: list[str] = []
        self._columns: dict[str, int] = {}
        self._weights = np.zeros((1 << bits, _FIRST_CAPACITY), np.float32)
        self._bias = np.zeros(_FIRST_CAPACITY, np.float64)
        self._text_count = 0
        self._text_counts = np.zeros(1 << bits, np.int32)
        self._reservoir: list[_Memory] = []
        self._offered_count = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes known so far, in order of first sight."""
        return tuple(self._labels)

    @property
    def lesson_count(self) -> int:
        """Lessons learned so far, replays not counted."""
        return self._text_count

    def learn_one(self, text: str | HashedText, label: str) -> None:
        """Learn that ``text`` belongs to ``label``.

        Raises:
            ValueError: when a `HashedText` was hashed with other ``bits``.
        """
        hashed = self._hashed(text)
        column = self._column(label)
        if column is None:
            return
        self._text_count += 1
        for block in _blocks(hashed.word_count):
            self._text_counts[hashed.indices[block]] += 1
        memory = _Memory(hashed.indices, hashed.counts, hashed.word_count, column)
        self._step(memory)
        for _ in range(min(self.replay, len(self._reservoir))):
            self._step(self._reservoir[self._rng.randrange(len(self._reservoir))])
        self._remember(memory)

    def predict_proba_one(self, text: str | HashedText) -> dict[str, float]:
        """Return the probability of each known class (they sum to 1); ``{}`` before any.

        Raises:
            ValueError: when a `HashedText` was hashed with other ``bits``.
        """
        if not self._labels:
            return {}
        hashed = self._hashed(text)
        values = self._values(hashed.indices, hashed.counts, hashed.word_count)
        shares = _softmax(self._logits(hashed.indices, values))
        return dict(zip(self._labels, shares.tolist(), strict=True))

    def predict_one(self, text: str | HashedText) -> str | None:
        """Return the most probable class (first seen wins a tie); None before any."""
        shares = self.predict_proba_one(text)
        return max(shares, key=shares.__getitem__) if shares else None

    def explain_one(
        self, text: str | HashedText, label: str, top: int | None = 5
    ) -> list[tuple[str, float]]:
        """Return the parts of the text and what each adds to the logit of ``label``.

        Parts are words, pairs of words, and for CJK texts runs of characters, largest absolute
        contribution first; a word's part contains the characters inside it. The last two
        entries are what the parts left out add (`REST`) and the class's own `BIAS`: all
        entries together sum to the logit. With ``top=None`` every part is listed.
        An unknown label gives ``[]``.
        """
        column = self._columns.get(label)
        if column is None:
            return []
        hashed = self._hashed(text)
        values = self._values(hashed.indices, hashed.counts, hashed.word_count)
        effects = values.astype(np.float64) * self._weights[hashed.indices, column]
        shares = _per_occurrence(hashed, effects)
        parts: dict[str, float] = {}
        for term in terms(hashed):
            effect = sum(shares[term.in_words, index] for index in term.indices)
            parts[term.name] = parts.get(term.name, 0.0) + effect
        ranked = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
        shown = ranked if top is None else ranked[:top]
        rest = sum(effect for _, effect in ranked[len(shown) :])
        return [*shown, (REST, rest), (BIAS, float(self._bias[column]))]

    def digest(self) -> str:
        """Return the digest of everything that decides this learner's future."""
        known = len(self._labels)
        return digest_content(
            "HashedSoftmaxClassifier",
            [self.bits, self.learning_rate, self.bias_rate, self.replay],
            [self.reservoir_size, self.max_classes],
            self._labels,
            self._weights[:, :known],
            self._bias[:known],
            [self._text_count, self._offered_count],
            self._text_counts,
            self._rng.getstate(),
            *self._remembered(),
        )

    def _remembered(self) -> list[object]:
        """Return the reservoir as a few long arrays: thousands of short ones are slow to digest."""
        kept = self._reservoir
        return [
            np.array([[len(m.indices), m.word_count, m.column] for m in kept], np.int64),
            np.concatenate([np.zeros(0, np.int32), *(m.indices for m in kept)]),
            np.concatenate([np.zeros(0, np.float32), *(m.counts for m in kept)]),
        ]

    def _hashed(self, text: str | HashedText) -> HashedText:
        if isinstance(text, str):
            return hash_text(text, self.bits)
        if text.bits != self.bits:
            raise ValueError(f"text hashed to {text.bits} bits, learner expects {self.bits}")
        return text

    def _column(self, label: str) -> int | None:
        column = self._columns.get(label)
        if column is None and len(self._labels) < self.max_classes:
            column = self._columns[label] = len(self._labels)
            self._labels.append(label)
            capacity = len(self._bias)
            if column == capacity:
                self._weights = np.hstack([self._weights, np.zeros_like(self._weights)])
                self._bias = np.hstack([self._bias, np.zeros_like(self._bias)])
        return column

    def _values(self, indices: Indices, counts: Values, word_count: int) -> Values:
        rarity = np.log((1.0 + self._text_count) / (1.0 + self._text_counts[indices])) + 1.0
        values = counts * rarity.astype(np.float32)
        return normalise_blocks(values, word_count)

    def _logits(self, indices: Indices, values: Values) -> npt.NDArray[np.float64]:
        # Row by row in a fixed order; a BLAS product may differ between processors.
        rows = self._weights.take(indices, axis=0)
        rows *= values[:, None]
        logits: npt.NDArray[np.float64] = np.add.reduce(rows, axis=0) + self._bias
        return logits[: len(self._labels)]

    def _step(self, memory: _Memory) -> None:
        values = self._values(memory.indices, memory.counts, memory.word_count)
        slope = np.zeros(len(self._bias))
        slope[: len(self._labels)] = _softmax(self._logits(memory.indices, values))
        slope[memory.column] -= 1.0
        self._bias -= self.bias_rate * slope
        step = (self.learning_rate * slope).astype(np.float32)
        for block in _blocks(memory.word_count):
            self._weights[memory.indices[block]] -= values[block, None] * step

    def _remember(self, memory: _Memory) -> None:
        self._offered_count += 1
        if len(self._reservoir) < self.reservoir_size:
            self._reservoir.append(memory)
            return
        slot = self._rng.randrange(self._offered_count)
        if slot < self.reservoir_size:
            self._reservoir[slot] = memory


def _blocks(word_count: int) -> tuple[slice, slice]:
    """Return the word and the character block: indices are unique only within a block."""
    return slice(None, word_count), slice(word_count, None)


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shares: npt.NDArray[np.float64] = np.exp(logits - logits.max())
    shares /= np.add.reduce(shares)
    return shares


def _per_occurrence(hashed: HashedText, effects: npt.NDArray[Any]) -> dict[tuple[bool, int], float]:
    """Return each index's effect divided by how often it occurs, keyed by block and index."""
    occurrences: dict[tuple[bool, int], int] = {}
    for term in terms(hashed):
        for index in term.indices:
            key = (term.in_words, index)
            occurrences[key] = occurrences.get(key, 0) + 1
    return {
        (at < hashed.word_count, index): effect / occurrences[at < hashed.word_count, index]
        for at, (index, effect) in enumerate(
            zip(hashed.indices.tolist(), effects.tolist(), strict=True)
        )
    }
