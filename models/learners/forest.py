"""River's adaptive random forest, made steady: what it predicts is a function of its lessons.

Mended here: River builds its trees on the first *prediction* and sizes them by that one
example's features (`_SteadyForest`); it estimates memory from object sizes, which differ
between processes (period set out of reach; depth bounds the trees instead). Its generators and
drift detectors survive pickling as they are.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from river.forest import ARFClassifier
from river.tree.nodes.branch import DTBranch

from models.learners.digest import digest_content
from models.learners.numbers import finite

BASE = "(forest base)"
_NEVER = 10**18
_EDGE = 1e-4
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""


class _SteadyForest(ARFClassifier):
    def _set_max_features(self, n_features: int) -> None:
        """Keep the number given at the start, whatever the first example holds."""


class FraudForest:
    """Binary adaptive random forest on named numbers, explained along its trees' paths.

    Args:
        tree_count: trees.
        max_depth: of a tree; bounds memory (at most ``2**max_depth`` leaves a tree).
        rate: mean of the Poisson weight with which a tree learns a lesson.
        features_per_leaf: features a leaf looks at for its next split.
        features: the names to look at, None for all; a missing one follows the crowd.
        seed: of the forest's own generator.
    """

    def __init__(
        self,
        *,
        tree_count: int = 5,
        max_depth: int = 8,
        rate: int = 6,
        features_per_leaf: int = 9,
        features: Sequence[str] | None = None,
        seed: int = 0,
    ) -> None:
        self.features = None if features is None else tuple(sorted(set(features)))
        self._forest = _SteadyForest(
            n_models=tree_count,
            max_depth=max_depth,
            max_features=features_per_leaf,
            lambda_value=rate,
            leaf_prediction="mc",
            max_share_to_split=0.9995,
            memory_estimate_period=_NEVER,
            seed=seed,
        )
        self._lesson_count = 0
        self._roots: list[_Stop] = []

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was found while predicting: it is found again."""
        return {**self.__dict__, "_roots": []}

    def learn_one(self, x: Mapping[str, float], y: bool) -> None:
        """Learn that ``x`` is ``y``."""
        clean = self._read(x)
        self._lesson_count += 1
        self._roots = []
        self._forest.learn_one(clean, bool(y))

    def logit_one(self, x: Mapping[str, float]) -> float:
        """Return the logarithm of the odds that ``x`` is true, within ±9.3; 0 before any lesson."""
        return _logit(self._walk(x)[1])

    def predict_proba_one(self, x: Mapping[str, float]) -> dict[bool, float]:
        """Return the probabilities of True and False."""
        share = self._walk(x)[1]
        return {True: share, False: 1.0 - share}

    def predict_one(self, x: Mapping[str, float]) -> bool:
        """Return whether True is more probable than not."""
        return self.logit_one(x) > 0.0

    def explain_one(self, x: Mapping[str, float]) -> dict[str, float]:
        """Return what each feature on the trees' paths adds to `logit_one`.

        Each split moves its tree's probability from that of its node to that of the next; the
        moves, summed by feature, add up to the whole way from the roots' mean (`BASE`) to the
        forest's probability. They are scaled by one positive factor (the secant of the logit
        over that way), so that the entries sum to the logit and keep their signs.
        """
        start, end, moves = self._walk(x)
        way = math.fsum(moves.values())
        if abs(way) < 1e-12:
            return {BASE: _logit(end)}
        factor = (_logit(end) - _logit(start)) / way
        parts = {BASE: _logit(start)}
        for name in sorted(moves):
            parts[name] = moves[name] * factor
        return parts

    def digest(self) -> str:
        """Return the digest of the trees, node by node, with their statistics and generators."""
        forest: Any = self._forest
        return digest_content(
            "FraudForest",
            self.features,
            [forest.n_models, forest.max_depth, forest.max_features, forest.lambda_value],
            self._lesson_count,
            forest._rng.getstate(),
            [list(_tree_content(tree)) for tree in forest.data],
            [None if tree is None else list(_tree_content(tree)) for tree in forest._background],
            [[metric.cm.n_samples, metric.get()] for metric in forest._metrics],
            [
                [detector.width, detector.total, detector.variance, detector.n_detections]
                for detector in [*forest._warning_detectors, *forest._drift_detectors]
            ],
        )

    def _read(self, x: Mapping[str, float]) -> dict[str, float]:
        if self.features is None:
            return finite(x)
        return finite({name: x[name] for name in self.features if name in x})

    def _walk(self, x: Mapping[str, float]) -> tuple[float, float, dict[str, float]]:
        """Return the probability at the roots, at the leaves, and what each feature moved it."""
        if not self._roots:
            self._roots = self._compile()
        clean = self._read(x)
        start = end = 0.0
        moves: dict[str, float] = {}
        for root in self._roots:
            stop = root
            start += stop.voted
            while feature := stop.feature:
                value = clean.get(feature)
                if value is None:
                    stop = stop.crowd or stop.to_crowd()
                elif value <= stop.threshold:
                    stop = stop.low or stop.to_low()
                else:
                    stop = stop.high or stop.to_high()
                moves[feature] = moves.get(feature, 0.0) + stop.move
            end += stop.voted
        return (start, end, moves) if self._roots else (0.5, 0.5, moves)

    def _compile(self) -> list["_Stop"]:
        """Return the root of each grown tree; the trees' votes add up to 1."""
        forest: Any = self._forest
        grown = [
            (metric.get() or 1.0, tree._root)
            for tree, metric in zip(forest.data, forest._metrics, strict=False)
            if tree._root is not None
        ]
        total = math.fsum(vote for vote, _ in grown)
        return [_Stop(root, vote / total, None) for vote, root in grown]


class _Stop:
    """A node of a tree as it stands between two lessons; what follows is looked up once.

    Args:
        node: River's.
        vote: Of the tree, in [0, 1].
        before: The stop above it.

    Attributes:
        feature: By which it splits; "" in a leaf.
        voted: Its share of frauds times the vote.
        move: By how much that step moved the forest's probability.
        low, high, crowd: What follows up to the threshold, above it, and where most lessons
            went; None until somebody goes there.
    """

    __slots__ = (
        "_node", "_share", "_vote", "crowd", "feature", "high", "low", "move", "threshold",
        "voted",
    )  # fmt: skip

    def __init__(self, node: Any, vote: float, before: "_Stop | None") -> None:
        is_branch = isinstance(node, DTBranch)
        self.feature: str = node.feature if is_branch else ""
        self.threshold: float = node.threshold if is_branch else 0.0
        self.low: _Stop | None = None
        self.high: _Stop | None = None
        self.crowd: _Stop | None = None
        self._node = node
        self._vote = vote
        self._share = _true_share(node.stats)
        self.voted = vote * self._share
        self.move = 0.0 if before is None else vote * (self._share - before._share)

    def to_low(self) -> "_Stop":
        self.low = _Stop(self._node.children[0], self._vote, self)
        return self.low

    def to_high(self) -> "_Stop":
        self.high = _Stop(self._node.children[1], self._vote, self)
        return self.high

    def to_crowd(self) -> "_Stop":
        self.crowd = _Stop(self._node.most_common_path()[1], self._vote, self)
        return self.crowd


def _true_share(stats: Mapping[bool, float]) -> float:
    total = stats.get(False, 0.0) + stats.get(True, 0.0)
    return stats.get(True, 0.0) / total if total > 0.0 else 0.5


def _logit(share: float) -> float:
    share = min(max(share, _EDGE), 1.0 - _EDGE)
    return math.log(share / (1.0 - share))


def _tree_content(tree: Any) -> Iterator[list[object]]:
    """Yield the content of each node, parents before children, left before right."""
    yield [tree._n_active_leaves, tree._n_inactive_leaves, tree._train_weight_seen_by_model]
    nodes = [] if tree._root is None else [tree._root]
    while nodes:
        node = nodes.pop()
        if hasattr(node, "children"):
            yield [node.feature, node.threshold, node.depth, dict(node.stats)]
            nodes.extend(reversed(node.children))
            continue
        yield [node.depth, dict(node.stats), node.feature_indices, node.last_split_attempt_at]
        for name, splitter in (node.splitters or {}).items():
            yield [
                name,
                dict(splitter._min_per_class),
                dict(splitter._max_per_class),
                {
                    label: [gaussian.n_samples, gaussian.mu, gaussian._var.get()]
                    for label, gaussian in splitter._att_dist_per_class.items()
                },
            ]
