"""The figures of a report: computed from the board, compared with the baselines."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from models.quality import bins
from models.quality.board import DETECTORS, TEXT_LEARNERS, QualityBoard
from models.quality.cells import ClassCell, DetectionCell
from models.quality.segments import ASKED, MATURITIES
from models.quality.tallies import ALL

LEAST_COUNT = 1.0
"""Cells that are worth fewer labelled decisions say nothing."""


class Figure(NamedTuple):
    """One figure about one learner.

    Args:
        learner: ``category``, ``urgency``, ``risk``, …
        metric: See docs/quality.md.
        segment: ``all``, or one part of the decisions as ``name=value``.
        maturity: ``all``, or how old the labels are.
        value: In the unit of the metric.
        baseline: The same of what the learner has to beat, on the same decisions.
        window_count: How many labelled decisions it rests on, older ones counting less.
        missing_count: How many decisions of the window have no such label, as estimated.
    """

    learner: str
    metric: str
    segment: str
    maturity: str
    value: float
    baseline: float | None
    window_count: int
    missing_count: int


def figures(board: QualityBoard, alert_budget_per_day: int) -> list[Figure]:
    """Give all figures that there are labels for, in a fixed order: some dozens."""
    found: list[Figure] = []
    for learner in TEXT_LEARNERS:
        found.extend(_of_classes(board, learner))
    for learner in DETECTORS:
        found.extend(_of_detector(board, learner, alert_budget_per_day))
    return [figure for figure in found if math.isfinite(figure.value)]


def _of_classes(board: QualityBoard, learner: str) -> Iterator[Figure]:
    classes = board.classes[learner]
    for name, cell in classes.cells.items():
        if not _says_something(board, cell):
            continue
        made = _Maker(board, learner, learner, "ticket", name, cell.count)
        weight = cell.weight
        yield made("accuracy", cell.right / weight, cell.base_right / weight)
        if name != ALL:
            continue
        yield made("log_loss", cell.loss / weight, cell.base_loss / weight)
        yield made("ece", math.fsum(map(abs, cell.gaps)) / weight, None)
        yield made("answered_share", cell.answered / classes.offered, None)
        if cell.answered > 0.0:
            yield made("accuracy_answered", cell.right_answered / cell.answered, None)


def _of_detector(board: QualityBoard, learner: str, budget: int) -> Iterator[Figure]:
    cells = board.detectors[learner].cells
    calibrated = learner == "risk"
    for name, cell in cells.items():
        counted = cell.frauds if name in MATURITIES else cell.count
        if not _says_something(board, cell) or cell.frauds <= 0.0:
            continue
        # Honest ones become known by time alone, all at one age: each age's frauds are looked
        # for among all of them.
        honest = cells[ALL] if name in MATURITIES else cell
        made = _Maker(board, learner, "risk", "transaction", name, counted)
        base = bins.average_precision(cell.base_positives, honest.base_negatives)
        own = bins.average_precision(cell.positives, honest.negatives)
        yield made("average_precision", own, base)
        if calibrated and name not in MATURITIES:
            yield made("expected_ratio", cell.expected / cell.positive_weight, 1.0)
        if name != ALL:
            continue
        yield made("fraud_share", cell.positive_weight / cell.weight, None)
        if calibrated:
            yield made("log_loss", cell.loss / cell.weight, cell.base_loss / cell.weight)
            yield made("ece", math.fsum(map(abs, cell.gaps)) / cell.weight, None)
        rate = board.decisions_per_day("transaction")
        if rate:
            share = budget / rate
            here = bins.at_share(cell.positives, cell.negatives, share)
            there = bins.at_share(cell.base_positives, cell.base_negatives, share)
            yield made("precision_at_budget", here[0], there[0])
            yield made("recall_at_budget", here[1], there[1])


def _says_something(board: QualityBoard, cell: ClassCell | DetectionCell) -> bool:
    return cell.weight > 0.0 and board.window.worth(cell.count) >= LEAST_COUNT


class _Maker:
    """Makes the figures of one cell."""

    def __init__(
        self, board: QualityBoard, learner: str, task: str, kind: str, name: str, count: float
    ) -> None:
        self._learner = learner
        self._segment = ALL if name in MATURITIES else name
        self._maturity = name if name in MATURITIES else ALL
        self._count = round(board.window.worth(count))
        decided = board.decided[kind].get(ALL if name == ASKED else self._segment, 0.0)
        labelled = board.labelled.get(task, {}).get(name, 0.0)
        self._missing_count = round(board.window.worth(max(decided - labelled, 0.0)))

    def __call__(self, metric: str, value: float, baseline: float | None) -> Figure:
        if baseline is not None and not math.isfinite(baseline):
            baseline = None
        return Figure(
            self._learner,
            metric,
            self._segment,
            self._maturity,
            value,
            baseline,
            self._count,
            self._missing_count,
        )
