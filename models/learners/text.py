"""Texts as sparse hashed features: the same text gives the same arrays in every process.

Words (one and two in a row) and the characters inside words (2-5, padded with a blank on each
side) are hashed with CRC-32; runs of Chinese, Japanese and Korean characters, which carry no
blanks, become runs of 1-3 characters instead. A text weighs its words as much as its characters;
where Chinese runs take part, words weigh by their share of the text: "60" in a Chinese title is
two characters of it, not half of it.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

DEFAULT_BITS = 18
MAX_CHARACTERS = 4_000
WORDS_WEIGHT = 0.5
"""Squared L2 norm of the word block of a text without CJK runs; a whole text has norm 1."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_PIECE = re.compile(rf"[{_CJK}]+|(?:(?![{_CJK}])\w)+")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_CJK_START = re.compile(rf"[{_CJK}]")
_FIRST_CJK = _CJK[0]
_MAX_WORD = 32
_NO_WORD = -1
_LOG_COUNTS = (1.0 + np.log(np.maximum(np.arange(4 * MAX_CHARACTERS + 1), 1))).astype(np.float32)

Indices = npt.NDArray[np.int32]
Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class HashedText:
    """One text, hashed once, to be read by any number of heads with the same ``bits``.

    Attributes:
        text: what was hashed, as given, cut to `MAX_CHARACTERS`.
        pieces: its normalised words and CJK runs, in order.
        terms: the hash of each word, pair of words and run of characters, in this order, as
            often as they occur; those of characters are inverted.
        bits: indices lie in ``[0, 2**bits)``.
        indices: the word block, then the character block; unique within a block, in order of
            first appearance.
        counts: ``1 + log(count)`` of each index, before any weighting and normalising.
        word_count: how many of the indices belong to the word block.
        words_weight: squared norm of the word block in [0, .5], see `normalise_blocks`.
    """

    text: str
    pieces: tuple[str, ...]
    terms: list[int]
    bits: int
    indices: Indices
    counts: Values
    word_count: int
    words_weight: float

    def values(self) -> Values:
        """Return one value per index, see `normalise_blocks`."""
        return normalise_blocks(self.counts, self.word_count, self.words_weight)


def normalise_blocks(values: Values, word_count: int, words_weight: float) -> Values:
    """Return ``values`` with norm 1, ``words_weight`` of its square in the word block.

    The first ``word_count`` values are the word block, the others the character block. Where
    one block is empty the other is scaled to norm 1; no values give an empty array.
    """
    squares = values * values
    if not 0 < word_count < len(values):
        square = float(np.add.reduce(squares))
        return values / np.float32(math.sqrt(square)) if square > 0.0 else values.copy()
    words, characters = np.add.reduceat(squares, (0, word_count)).tolist()
    scaled = values.copy()
    if words > 0.0:
        scaled[:word_count] *= np.float32(math.sqrt(words_weight / words))
    if characters > 0.0:
        scaled[word_count:] *= np.float32(math.sqrt((1.0 - words_weight) / characters))
    return scaled


def hash_text(text: str, bits: int = DEFAULT_BITS) -> HashedText:
    """Return the features of ``text``; only its first `MAX_CHARACTERS` characters count.

    >>> hashed = hash_text("My card has not arrived")
    >>> hashed.word_count, len(hashed.indices) > 40
    (9, True)
    """
    text = text[:MAX_CHARACTERS]
    words: list[int] = []
    pairs: list[int] = []
    characters: list[int] = []
    pieces = _pieces(text)
    length = word_length = 0
    before = _NO_WORD
    for piece in pieces:
        length += len(piece)
        if is_cjk(piece):
            characters += [gram_hash(gram, bits) for gram in cjk_grams(piece)]
            before = _NO_WORD
            continue
        word_length += len(piece)
        word, inside = word_hashes(piece, bits)
        words.append(word)
        characters += inside
        if before != _NO_WORD:
            pairs.append(pair_hash(before, word, bits))
        before = word
    words += pairs
    word_count = len(set(words))
    terms = words + characters
    occurrences = Counter(terms)
    indices = np.fromiter(occurrences, np.int32, len(occurrences))
    np.invert(indices[word_count:], out=indices[word_count:])
    counts = _LOG_COUNTS.take(np.fromiter(occurrences.values(), np.int32, len(occurrences)))
    words_weight = WORDS_WEIGHT * word_length / length if length else 0.0
    return HashedText(text, pieces, terms, bits, indices, counts, word_count, words_weight)


def _pieces(text: str) -> tuple[str, ...]:
    """Return the normalised words and CJK runs of a text; very long words are cut."""
    if text.isascii():
        return tuple(word[:_MAX_WORD] for word in _ASCII_WORD.findall(text.lower()))
    normal = unicodedata.normalize("NFKC", text).lower()[: 2 * MAX_CHARACTERS]
    return tuple(
        piece if len(piece) <= _MAX_WORD or is_cjk(piece) else piece[:_MAX_WORD]
        for piece in _PIECE.findall(normal)
    )


def is_cjk(piece: str) -> bool:
    """Tell whether a piece is a run of CJK characters."""
    return piece[0] >= _FIRST_CJK and _CJK_START.match(piece) is not None


def cjk_grams(run: str) -> list[str]:
    """Return the runs of one to three characters inside a CJK run."""
    return [run[i : i + n] for n in (1, 2, 3) for i in range(len(run) - n + 1)]


@lru_cache(maxsize=8_192)
def word_hashes(word: str, bits: int) -> tuple[int, tuple[int, ...]]:
    """Return the hash of a word, and those (inverted) of the characters inside it."""
    padded = f" {word} "
    inside = tuple(
        gram_hash(padded[i : i + n], bits) for n in (2, 3, 4, 5) for i in range(len(padded) - n + 1)
    )
    return _hash(f"w{word}", bits), inside


@lru_cache(maxsize=65_536)
def gram_hash(gram: str, bits: int) -> int:
    """Return the hash of characters, inverted: so words and characters are counted together."""
    return ~_hash(f"c{gram}", bits)


def pair_hash(first: int, second: int, bits: int) -> int:
    """Mix the hashes of two words in a row by Knuth's and Murmur's multipliers."""
    return ((first * 0x9E3779B1 ^ second * 0x85EBCA6B) >> 7) & ((1 << bits) - 1)


def _hash(term: str, bits: int) -> int:
    return zlib.crc32(term.encode("utf-8", "surrogatepass")) & ((1 << bits) - 1)
