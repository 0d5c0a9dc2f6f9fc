"""What the desk's learners are measured against, in the same run: River's, and none at all."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from river.compose import Pipeline
from river.dummy import PriorClassifier
from river.feature_extraction import TFIDF, BagOfWords
from river.linear_model import LogisticRegression, SoftmaxRegression
from river.naive_bayes import MultinomialNB
from river.optim import SGD
from river.preprocessing import StandardScaler

TICKET_BASELINES = ("majority", "river_multinomial_nb", "river_logistic")
SLOW = frozenset({"river_logistic"})
"""A hundred times as dear as the others: measured on the first shuffle, unless all is wanted."""

SMOOTHING = 0.02
RATE = 3.0
"""River's defaults (1 and 0.1) lose a tenth of the accuracy: the best of a few, by accuracy before
each label over the first 5,000 tickets of Banking77's train part, shuffled by seed 0."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_CJK_RUN = re.compile(rf"[{_CJK}]+")
_WORD = re.compile(rf"(?:(?![{_CJK}])\w)(?:(?![{_CJK}])[\w\-])+")


class TextBaseline(Protocol):
    """A classifier of texts with River's verbs."""

    def learn_one(self, text: str, label: str) -> object:
        """Learn that a text belongs to a label."""
        ...

    def predict_one(self, text: str) -> str | None:
        """Return the most probable label; ``None`` before any."""
        ...


def text_baseline(name: str) -> TextBaseline:
    """Give a fresh baseline by its name among `TICKET_BASELINES`."""
    if name == "majority":
        return _Majority()
    if name == "river_multinomial_nb":
        bayes: Any = MultinomialNB  # which River leaves untyped
        return _River(BagOfWords(tokenizer=tokens) | bayes(alpha=SMOOTHING))
    return _River(TFIDF(tokenizer=tokens) | SoftmaxRegression(SGD(RATE)))


def tokens(text: str) -> list[str]:
    """Give a text's words as River's own tokenizer does; CJK characters one by one and in pairs.

    >>> tokens("my card-reader is 坏了")
    ['my', 'card-reader', 'is', '坏', '了', '坏了']
    """
    found: list[str] = _WORD.findall(text)
    for run in _CJK_RUN.findall(text):
        found += run
        found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


class _Majority:
    def __init__(self) -> None:
        self._prior = PriorClassifier()

    def learn_one(self, text: str, label: str) -> None:
        self._prior.learn_one({}, label)

    def predict_one(self, text: str) -> str | None:
        shares: dict[Any, float] = self._prior.predict_proba_one({})
        return max(shares, key=shares.__getitem__) if shares else None


class _River:
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline: Any = pipeline  # River's types know of dictionaries only

    def learn_one(self, text: str, label: str) -> None:
        self._pipeline.learn_one(text, label)

    def predict_one(self, text: str) -> str | None:
        label: str | None = self._pipeline.predict_one(text)
        return label


class RiskBaseline:
    """River's logistic regression on standardised features."""

    def __init__(self) -> None:
        self._pipeline = StandardScaler() | LogisticRegression()

    def learn_one(self, features: Mapping[str, float], is_fraud: bool) -> None:
        """Learn a labelled transaction."""
        self._pipeline.learn_one(dict(features), is_fraud)

    def score_one(self, features: Mapping[str, float]) -> float:
        """Return the probability of fraud among what was learned, in [0, 1]."""
        shares: dict[bool, float] = self._pipeline.predict_proba_one(dict(features))
        return shares.get(True, 0.0)
