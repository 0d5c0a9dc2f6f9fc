"""What each readable part of a text adds to a sum over its hashed features."""

from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.learners.text import HashedText, cjk_grams, is_cjk, word_hashes

T = TypeVar("T")
Effects = npt.NDArray[np.float64]


class TextParts:
    """The parts of one text, laid out once for any number of heads.

    Parts are words (with the characters inside them), pairs of words, and for CJK texts runs
    of characters; each occurrence of each index belongs to exactly one part.

    Args:
        hashed: the text.

    Attributes:
        names: of the parts, each once.
    """

    __slots__ = (
        "_by_name",
        "_index_of_inside",
        "_index_of_whole",
        "_occurrence_counts",
        "_part_of",
        "_with_inside",
        "_with_whole",
        "names",
    )

    def __init__(self, hashed: HashedText) -> None:
        named: list[str] = []  # what occurs: words and runs, then pairs
        pairs: list[str] = []
        words: list[int] = []  # which of them are words
        inside_counts: list[int] = []
        before = ""
        for piece in hashed.pieces:
            if is_cjk(piece):
                grams = cjk_grams(piece)
                named += grams
                inside_counts += [1] * len(grams)
                before = ""
                continue
            words.append(len(named))
            named.append(piece)
            inside_counts.append(len(word_hashes(piece, hashed.bits)[1]))
            if before:
                pairs.append(f"{before} {piece}")
            before = piece
        self._with_inside = np.repeat(np.arange(len(named)), np.array(inside_counts, np.intp))
        whole = [*words, *range(len(named), len(named) + len(pairs))]
        self._with_whole = np.array(whole, np.intp)
        named += pairs
        parts = _numbered(named)
        self.names = list(parts)
        self._part_of = _look_up(parts, named)
        self._by_name = np.array(sorted(range(len(parts)), key=self.names.__getitem__), np.intp)
        index = _look_up(_numbered(hashed.terms), hashed.terms)
        self._index_of_whole, self._index_of_inside = index[: len(whole)], index[len(whole) :]
        self._occurrence_counts = np.rint(np.exp(hashed.counts - np.float32(1.0)))

    def add_up(self, effects: Effects) -> Effects:
        """Return what each part adds when each of the text's indices adds its effect.

        An index that occurs several times shares its effect evenly; the parts' sum is the sum
        of the effects.
        """
        if not self.names:
            return effects
        shares = effects / self._occurrence_counts
        # bincount adds one after the other, in order: the bits do not depend on the machine.
        added = np.bincount(
            self._with_inside, shares.take(self._index_of_inside), len(self._part_of)
        )
        added[self._with_whole] += shares.take(self._index_of_whole)
        return np.bincount(self._part_of, added, len(self.names)).astype(np.float64, copy=False)

    def rank(self, added: Effects, top: int | None = None) -> tuple[list[tuple[str, float]], float]:
        """Return the parts of largest absolute addition, and what all others add.

        Equal ones come in order of name; ``None`` is all.
        """
        order = self._by_name.take(np.argsort(-np.abs(added.take(self._by_name)), kind="stable"))
        names, effects = self.names, added.take(order).tolist()
        best = order[:top].tolist()
        shown = [(names[part], effect) for part, effect in zip(best, effects, strict=False)]
        return shown, sum(effects[len(shown) :])


@lru_cache(maxsize=1)
def parts_of(hashed: HashedText) -> TextParts:
    """Return the parts of a text; the last one's are kept, for its other heads."""
    return TextParts(hashed)


def _numbered(terms: list[T]) -> dict[T, int]:
    """Return a number for each term, in order of first appearance."""
    once = dict.fromkeys(terms)
    return dict(zip(once, range(len(once)), strict=True))


def _look_up(numbers: dict[T, int], terms: list[T]) -> npt.NDArray[np.intp]:
    return np.fromiter(map(numbers.__getitem__, terms), np.intp, len(terms))
