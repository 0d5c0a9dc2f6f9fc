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
        self._votes: list[float] = []
        self._crowds: dict[Any, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was found while predicting: it goes by where nodes lie in memory."""
        return {**self.__dict__, "_crowds": {}}

    def learn_one(self, x: Mapping[str, float], y: bool) -> None:
        """Learn that ``x`` is ``y``."""
        clean = self._read(x)
        self._lesson_count += 1
        self._crowds.clear()
        self._forest.learn_one(clean, bool(y))
        metrics: Any = self._forest
        self._votes = [metric.get() or 1.0 for metric in metrics._metrics]

    def logit_one(self, x: Mapping[str, float]) -> float:
        """Return the logarithm of the odds that ``x`` is true, within ±9.3; 0 before any lesson."""
        return _logit(self._share(self._paths(self._read(x)), leaf=True))

    def predict_proba_one(self, x: Mapping[str, float]) -> dict[bool, float]:
        """Return the probabilities of True and False."""
        share = self._share(self._paths(self._read(x)), leaf=True)
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
        paths = self._paths(self._read(x))
        start, end = self._share(paths, leaf=False), self._share(paths, leaf=True)
        moves: dict[str, float] = {}
        total = math.fsum(weight for weight, _ in paths)
        for weight, path in paths:
            weight /= total
            before, feature = path[0]
            for after, following in path[1:]:
                moves[feature] = moves.get(feature, 0.0) + weight * (after - before)
                before, feature = after, following
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

    def _paths(self, clean: Mapping[str, float]) -> list[tuple[float, list[tuple[float, str]]]]:
        """Return each tree's vote weight and path: probability of True and feature, per node."""
        forest: Any = self._forest
        crowds = self._crowds
        paths = []
        for tree, vote in zip(forest.data, self._votes, strict=False):
            node = tree._root
            if node is None:
                continue
            path = []
            while isinstance(node, DTBranch):
                stats, feature = node.stats, node.feature  # type: ignore[attr-defined]
                true = stats.get(True, 0.0)
                total = stats.get(False, 0.0) + true
                path.append((true / total if total > 0.0 else 0.5, feature))
                value = clean.get(feature)
                if value is not None:
                    node = node.children[0 if value <= node.threshold else 1]  # type: ignore[attr-defined]
                    continue
                # River counts the lessons below both sides: once, until the next lesson.
                crowd = crowds.get(node)
                if crowd is None:
                    crowd = crowds[node] = node.most_common_path()[1]
                node = crowd
            path.append((_true_share(node.stats), ""))
            paths.append((vote, path))
        return paths

    def _share(self, paths: list[tuple[float, list[tuple[float, str]]]], *, leaf: bool) -> float:
        """Return the weighted mean of the probabilities at the leaves (or at the roots)."""
        if not paths:
            return 0.5
        total = math.fsum(weight for weight, _ in paths)
        at = -1 if leaf else 0
        return math.fsum(weight * path[at][0] for weight, path in paths) / total


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
