"""How unusual named numbers are, learned without labels: half-space trees on scaled features."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from river.anomaly import HalfSpaceTrees

from models.learners.digest import digest_content
from models.learners.half_spaces import Place, add_masses, shorten
from models.learners.numbers import finite, finite_one
from models.learners.ranking import SlidingRank

_SPREADS = 8.0
"""The unit interval holds this many spreads on both sides of the centre."""
_WIDTH = 2.0 * math.asinh(_SPREADS)


class _Scale:
    """Maps a feature to [0, 1], monotone: the centre to 1/2, far values towards 0 and 1.

    ``1/2 + asinh((value - median) / spread) / (2 asinh(8))``, cut to [0, 1], where the spread
    is the wider of the two sides' distances to the 10 % and 90 % quantiles (the standard
    deviation where both are 0, as for rare flags). Unlike a rank it keeps how far out a value
    lies, unlike a min-max it is not squeezed by one outlier.
    """

    __slots__ = ("centre", "spread")

    def __init__(self, values: list[float]) -> None:
        ordered = sorted(values)
        last = len(ordered) - 1
        self.centre = ordered[last // 2]
        low, high = ordered[last // 10], ordered[last - last // 10]
        self.spread = max(self.centre - low, high - self.centre)
        if self.spread == 0.0:
            squares = math.fsum((value - self.centre) ** 2 for value in ordered)
            self.spread = math.sqrt(squares / len(ordered)) or 1.0

    def unit(self, value: float) -> float:
        at = 0.5 + math.asinh((value - self.centre) / self.spread) / _WIDTH
        return 0.0 if at < 0.0 else 1.0 if at > 1.0 else at


class AnomalyLearner:
    """Unsupervised anomaly scorer with River's API.

    The first ``window_size`` lessons are only collected: they fix the features (names seen in
    them, so give every lesson all its names) and their scales, and are then learned. Each
    later full window replaces what counts as usual. A missing feature follows the crowd.

    Args:
        tree_count: half-space trees.
        height: of a tree; memory is ``2**(height + 1)`` nodes a tree.
        window_size: lessons after which the trees' reference is renewed.
        rank_size: scores remembered for `rank_one`.
        features: the names to look at, None for all; few that mean something beat many
            (noise dilutes the trees).
        max_features: features beyond this many, in the order of names, are ignored.
        seed: of the trees' own generator.
    """

    def __init__(
        self,
        *,
        tree_count: int = 10,
        height: int = 8,
        window_size: int = 500,
        rank_size: int = 4_096,
        features: Collection[str] | None = None,
        max_features: int = 256,
        seed: int = 0,
    ) -> None:
        self.window_size = window_size
        self.max_features = max_features
        self.features = None if features is None else tuple(sorted(set(features)))
        self._trees: Any = HalfSpaceTrees(
            n_trees=tree_count, height=height, window_size=window_size, seed=seed
        )
        self._places: list[Place] = []
        self._scales: dict[str, _Scale] = {}
        self._collected: list[dict[str, float]] = []
        self._ranks = SlidingRank(rank_size)
        self._lesson_count = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what the trees are shortened to: it is found again."""
        return {**vars(self), "_places": []}

    @property
    def ready(self) -> bool:
        """Whether the first window is full; until then every score is 0."""
        return bool(self._scales)

    @property
    def lesson_count(self) -> int:
        """Lessons learned so far."""
        return self._lesson_count

    def learn_one(self, x: Mapping[str, float]) -> None:
        """Learn that ``x`` has been seen (a lesson without any number is skipped)."""
        clean = self._read(x)
        if not clean:
            return
        self._lesson_count += 1
        if self.ready:
            unit = self._unit(clean)
            self._ranks.learn_one(self._score(unit))
            self._learn(unit)
            return
        self._collected.append(clean)
        if len(self._collected) == self.window_size:
            self._begin()

    def score_one(self, x: Mapping[str, float]) -> float:
        """Return how unusual ``x`` is, in [0, 1]; comparable within one learner only."""
        return self._score(self._unit(x)) if self.ready else 0.0

    def rank_one(self, score: float) -> float:
        """Return the percentile of a score among the latest ones learned, in [0, 1]."""
        return self._ranks.rank_one(score)

    def digest(self) -> str:
        """Return the digest of trees, masses, scales, remembered scores and the generator."""
        trees = self._trees
        return digest_content(
            "AnomalyLearner",
            [trees.n_trees, trees.height, self.window_size, self._ranks.size, self.max_features],
            self.features,
            [self._lesson_count, trees.counter, trees.rng.getstate()],
            {name: [scale.centre, scale.spread] for name, scale in self._scales.items()},
            self._collected,
            self._ranks.content(),
            [[_node_content(node) for node in tree.iter_dfs()] for tree in trees.trees],
        )

    def _begin(self) -> None:
        names = sorted({name for clean in self._collected for name in clean})
        for name in names[: self.max_features]:
            self._scales[name] = _Scale([x[name] for x in self._collected if name in x])
        collected, self._collected = self._collected, []
        # The trees take their features from the first example: begin with one that has all.
        whole = dict.fromkeys(self._scales, 0.5)
        units = [self._unit(clean) for clean in collected]
        self._learn(whole | units[0])
        for unit in units[1:]:
            self._learn(unit)
        for unit in units:
            self._ranks.learn_one(self._score(unit))

    def _read(self, x: Mapping[str, float]) -> dict[str, float]:
        if self.features is None:
            return finite(x)
        return finite({name: x[name] for name in self.features if name in x})

    def _unit(self, x: Mapping[str, float]) -> dict[str, float]:
        unit: dict[str, float] = {}
        for name, scale in self._scales.items():
            value = finite_one(x.get(name))
            if value is not None:
                unit[name] = scale.unit(value)
        return unit

    def _learn(self, unit: dict[str, float]) -> None:
        self._trees.learn_one(unit)
        if self._trees.counter == 0:  # the window was full
            self._places = []

    def _score(self, unit: dict[str, float]) -> float:
        if len(unit) < len(self._scales):
            score = self._trees.score_one(unit)
        else:
            if not self._places:
                self._places = shorten(self._trees)
            trees = self._trees
            score = 1.0 - add_masses(self._places, unit) / trees._max_score if self._places else 0.0
        return float(min(max(score, 0.0), 1.0))


def _node_content(node: Any) -> list[object]:
    masses = [node.l_mass, node.r_mass]
    return [node.feature, node.threshold, *masses] if hasattr(node, "children") else masses
