"""Classes of texts: two learners on the same hashed features, that know how sure they are."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.learners.abstention import AnswerPrecision
from models.learners.calibration import Logits, LogitScale, softmax
from models.learners.digest import digest_content
from models.learners.feature_rows import FeatureRows, Rows, weigh_rows
from models.learners.reservoir import Memory, Reservoir
from models.learners.text import DEFAULT_BITS, HashedText, Values, hash_text, normalise_blocks
from models.learners.text_parts import parts_of

BIAS = "(bias)"
REST = "(rest)"
_BAYES_SHARE = 0.25
_STEADY_LESSONS = 200
_MAX_MISSES = 2
_SMOOTHING = 0.03
_SMOOTHING_MASS = 500.0
_BOTH, _BAYES = 0, 1
"""Layers of the table: the regression's weight plus its share of the Bayes weight; that one.

Answers need the sum alone, and are asked for far more often than lessons come.
"""


class HashedSoftmaxClassifier:
    """Multi-class classifier of short texts with River's API; classes grow on first sight.

    Two learners on `HashedText` features weighted by an online inverse document frequency: a
    softmax regression by SGD, which after each lesson learns `replay` earlier ones again, drawn
    from a seeded reservoir; and a multinomial naive Bayes, which needs few examples and forgets
    nothing. Their logits are added and multiplied by a scale that is learned from the answers
    given before a lesson is learned (`LogitScale`), so that probabilities are calibrated. The
    rate of SGD falls as the lessons per class grow, and what stays wrong when replayed is
    replayed no more, so that wrong labels do little harm. All sums run in a fixed order and
    state is touched by `learn_one` only, so equal lessons give equal bits.

    Args:
        bits: features are hashed to ``2**bits`` indices.
        learning_rate: SGD rate of the weights, at first.
        bias_rate: SGD rate of the biases, at first.
        replay: remembered lessons learned again per lesson.
        reservoir_size: remembered lessons at most.
        max_classes: labels first seen when this many are known are not learned.
        max_cells: features x classes with weights of their own (8 bytes), see `FeatureRows`.
        seed: of the reservoir's own generator.
    """

    def __init__(
        self,
        *,
        bits: int = DEFAULT_BITS,
        learning_rate: float = 4.0,
        bias_rate: float = 0.1,
        replay: int = 2,
        reservoir_size: int = 4_000,
        max_classes: int = 512,
        max_cells: int = 1 << 23,
        seed: int = 0,
    ) -> None:
        self.bits = bits
        self.learning_rate = learning_rate
        self.bias_rate = bias_rate
        self.replay = replay
        self.reservoir_size = reservoir_size
        self.max_classes = max_classes
        self._labels: list[str] = []
        self._columns: dict[str, int] = {}
        self._weights = FeatureRows(bits, 2, max_cells)
        self._bias: Logits = np.zeros(self._weights.column_capacity)
        self._masses: Logits = np.zeros(self._weights.column_capacity)
        self._thinness: Logits = np.zeros(self._weights.column_capacity)
        self._text_count = 0
        self._text_counts = np.zeros(1, np.int32)
        self._commonness: Values = np.zeros(1, np.float32)  # log(1 + count)
        self._reservoir = Reservoir(reservoir_size, seed)
        self._scale = LogitScale()
        self._precision = AnswerPrecision()
        self._last_read: tuple[HashedText, Rows, Values] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was found while answering: it is found again."""
        return {**vars(self), "_last_read": None}

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes known so far, in order of first sight."""
        return tuple(self._labels)

    @property
    def lesson_count(self) -> int:
        """Lessons learned so far, replays not counted."""
        return self._text_count

    def learn_one(
        self,
        text: str | HashedText,
        label: str,
        w: float = 1.0,
        *,
        lesson_id: str = "",
        corrects: str | None = None,
    ) -> None:
        """Learn that ``text`` belongs to ``label``.

        Args:
            text: as given, or hashed with the same ``bits``.
            label: any name.
            w: how many tickets like this one the lesson stands for (inverse propensity), at
                least 0: counts for calibration and `confidence_for`, not for the weights.
            lesson_id: by which a later lesson may correct this one.
            corrects: the lesson whose label was wrong: it is not replayed any more, this one
                takes its place. What it did to the weights stays, and is outweighed.

        Raises:
            ValueError: when a `HashedText` was hashed with other ``bits``.
        """
        hashed = self._hashed(text)
        known_count = len(self._labels)
        column = self._column(label)
        if column is None:
            return
        self._text_count += 1
        self._last_read = None
        rows = self._weights.assign(hashed.indices)
        self._count_texts(rows)
        memory = Memory(
            rows, hashed.counts, hashed.word_count, hashed.words_weight, column, lesson_id
        )
        values = self._values(memory)
        self._judge(rows, values, column, known_count, w)
        self._step(memory, values)
        self._count_features(rows, values, column)
        for _ in range(min(self.replay, len(self._reservoir))):
            self._replay()
        if corrects is None or not self._reservoir.replace(corrects, memory):
            self._reservoir.remember(memory)

    def predict_proba_one(self, text: str | HashedText) -> dict[str, float]:
        """Return the calibrated probability of each known class (sum 1); ``{}`` before any.

        Raises:
            ValueError: when a `HashedText` was hashed with other ``bits``.
        """
        if not self._labels:
            return {}
        return dict(zip(self._labels, self._shares(text).tolist(), strict=True))

    def rank_one(self, text: str | HashedText, count: int) -> list[tuple[str, float]]:
        """Return the ``count`` most probable classes and their probabilities, best first.

        Equal ones come in the order of their names; ``[]`` before any class.
        """
        if not self._labels:
            return []
        shares = self._shares(text).tolist()
        least = sorted(shares)[-count] if count < len(shares) else 0.0
        known = zip(shares, self._labels, strict=True)
        best = sorted([(-share, label) for share, label in known if share >= least])
        return [(label, -share) for share, label in best[:count]]

    def predict_one(self, text: str | HashedText) -> str | None:
        """Return the most probable class (first seen wins a tie); None before any."""
        shares = self.predict_proba_one(text)
        return max(shares, key=shares.__getitem__) if shares else None

    def confidence_for(self, precision: float) -> float | None:
        """Return the lowest top-class probability from which on answers are right often enough.

        Of the answers that would have been given to the latest lessons before they were
        learned, with at least this probability, a share of at least ``precision`` was right.
        None while that is not known or not attained.
        """
        return self._precision.confidence_for(precision)

    def explain_one(
        self, text: str | HashedText, label: str, top: int | None = 5
    ) -> list[tuple[str, float]]:
        """Return the parts of the text and what each adds to the calibrated logit of ``label``.

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
        rows, values = self._read(hashed)
        scale = self._scale.scale
        effects = self._weights.layers[_BOTH][rows, column].astype(np.float64)
        effects -= _BAYES_SHARE * self._thinness[column]
        effects *= scale * values
        parts = parts_of(hashed)
        shown, rest = parts.rank(parts.add_up(effects), top)
        return [*shown, (REST, rest), (BIAS, scale * float(self._bias[column]))]

    def digest(self) -> str:
        """Return the digest of everything that decides this learner's future."""
        known = len(self._labels)
        return digest_content(
            "HashedSoftmaxClassifier",
            [self.bits, self.learning_rate, self.bias_rate, self.replay],
            [self.reservoir_size, self.max_classes],
            self._labels,
            self._weights.content(),
            self._bias[:known],
            self._masses[:known],
            self._text_count,
            self._text_counts[: self._weights.row_count],
            self._scale.content(),
            self._precision.content(),
            *self._reservoir.content(),
        )

    def _hashed(self, text: str | HashedText) -> HashedText:
        if isinstance(text, str):
            return hash_text(text, self.bits)
        if text.bits != self.bits:
            raise ValueError(f"text hashed to {text.bits} bits, learner expects {self.bits}")
        return text

    def _shares(self, text: str | HashedText) -> Logits:
        rows, values = self._read(self._hashed(text))
        return softmax(self._scale.scale * self._logits(rows, values))

    def _column(self, label: str) -> int | None:
        column = self._columns.get(label)
        count = len(self._labels)
        if column is None and count < self.max_classes and self._weights.add_columns(count + 1):
            column = self._columns[label] = count
            self._labels.append(label)
            self._bias = _lengthen(self._bias, self._weights.column_capacity)
            self._masses = _lengthen(self._masses, self._weights.column_capacity)
            self._thinness = _lengthen(self._thinness, self._weights.column_capacity)
        return column

    def _read(self, hashed: HashedText) -> tuple[Rows, Values]:
        """Return rows and values of a text that is not learned."""
        if self._last_read is not None and self._last_read[0] is hashed:
            return self._last_read[1:]
        rows = self._weights.find(hashed.indices)
        values = self._weigh(rows, hashed.counts, hashed.word_count, hashed.words_weight)
        self._last_read = hashed, rows, values
        return rows, values

    def _values(self, memory: Memory) -> Values:
        return self._weigh(memory.rows, memory.counts, memory.word_count, memory.words_weight)

    def _weigh(self, rows: Rows, counts: Values, word_count: int, words_weight: float) -> Values:
        most = np.float32(math.log(1.0 + self._text_count) + 1.0)
        return normalise_blocks(
            counts * (most - self._commonness.take(rows)), word_count, words_weight
        )

    def _logits(self, rows: Rows, values: Values) -> Logits:
        """Return the logits of all known classes, not yet scaled."""
        logits = self._bias + weigh_rows(self._weights.layers[_BOTH].take(rows, axis=0), values)
        logits -= _BAYES_SHARE * float(np.add.reduce(values)) * self._thinness
        return logits[: len(self._labels)]

    def _judge(self, rows: Rows, values: Values, column: int, known_count: int, w: float) -> None:
        """Learn how good the answer was that would have been given; the lesson is not learned."""
        if not known_count:
            return
        logits = self._logits(rows, values)[:known_count]
        shares = softmax(self._scale.scale * logits)
        best = int(shares.argmax())
        self._precision.learn(float(shares[best]), best == column, w)
        if column < known_count:
            self._scale.learn(logits, column, w)

    def _count_texts(self, rows: Rows) -> None:
        """Count the texts with each feature: its rarity is what lacks to the log of all texts."""
        if self._weights.row_count > len(self._text_counts):
            length = len(self._weights.layers[0])
            self._text_counts = _lengthen(self._text_counts, length)
            self._commonness = _lengthen(self._commonness, length)
        self._text_counts[rows] += 1
        self._commonness[rows] = np.log1p(self._text_counts[rows].astype(np.float32))

    def _count_features(self, rows: Rows, values: Values, column: int) -> None:
        """Let the Bayes layer hold log(1 + mass / smoothing) of each feature and class."""
        both, bayes = self._weights.layers
        before = bayes[rows, column]
        after = np.log(np.exp(before) + values / np.float32(_SMOOTHING))
        bayes[rows, column] = after
        both[rows, column] += np.float32(_BAYES_SHARE) * (after - before)
        self._masses[column] += np.add.reduce(values)
        self._thinness[column] = np.log1p(self._masses[column] / _SMOOTHING_MASS)

    def _replay(self) -> None:
        """Learn a remembered lesson again, unless it was wrong too often: its label may be."""
        earlier = self._reservoir.draw()
        if earlier.miss_count < _MAX_MISSES and not self._step(earlier, self._values(earlier)):
            earlier.miss_count += 1

    def _step(self, memory: Memory, values: Values) -> bool:
        """Take a step of the regression; return whether it was right before."""
        both, bayes = self._weights.layers
        known = len(self._labels)
        kept = both.take(memory.rows, axis=0)
        own = bayes.take(memory.rows, axis=0)
        own *= np.float32(-_BAYES_SHARE)
        own += kept
        logits = weigh_rows(own, values) + self._bias
        slope = np.zeros(len(self._bias))
        slope[:known] = softmax(logits[:known])
        right = int(slope.argmax()) == memory.column
        slope[memory.column] -= 1.0
        # Less and less with the lessons of a class: noise in labels is averaged, not followed.
        slope /= math.sqrt(1.0 + self._text_count / (_STEADY_LESSONS * known))
        self._bias -= self.bias_rate * slope
        kept -= values[:, None] * (self.learning_rate * slope).astype(np.float32)
        both[memory.rows] = kept
        return right


def _lengthen(numbers: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    return np.concatenate([numbers, np.zeros(length - len(numbers), numbers.dtype)])
