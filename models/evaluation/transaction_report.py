"""What is reported of evaluated transactions: means over the seeds, each seed's value beside."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.evaluation.dates import DaysTested, DriftDays, name_of
from models.evaluation.figures import BINS, precision_recall, reliability
from models.evaluation.scored import Scored
from models.evaluation.ticket_report import mean_of
from models.evaluation.transactions import FROZEN, OURS, RIVER, SCORECARD, TransactionRun
from models.metrics import (
    alerts_at_budget,
    average_precision,
    card_precision,
    expected_calibration_error,
    roc_auc,
)

CARDS = 100


def report_transactions(
    runs: Sequence[TransactionRun],
    test: DaysTested,
    drift: DriftDays | None,
    alert_budget_per_day: int,
) -> dict[str, Any]:
    """Give the figures of all seeds; what is not known is ``None``.

    The baselines and the curves are those of the first seed.
    """
    seeds = [figures_of_seed(run, drift, alert_budget_per_day) for run in runs]
    first = runs[0]
    tested = first.test
    shown: dict[str, Any] = {
        "protocol": "book" if test.is_book else "last 7 days",
        "test_from": name_of(test.from_day),
        "test_until": name_of(test.until_day),
        "test_rows_all": len(tested),
        "test_frauds_all": int(tested.labels.sum()),
        "test_rows_book": int(tested.fresh.sum()),
        "test_frauds_book": int(tested.labels[tested.fresh].sum()),
        **means(seeds),
        "by_seed": seeds,
        "baselines": _baselines(first),
        "curves": {
            "of": "the first seed",
            "average_precision_by_week": first.weeks,
            "reliability": reliability(tested.labels, tested.scores(0)) if len(tested) else [],
            "precision_recall_all": precision_recall(tested.labels, tested.scores(0))
            if len(tested)
            else [],
        },
    }
    if RIVER in first.contestants:
        shown[RIVER] = shown["baselines"][RIVER]
    return shown


def figures_of_seed(
    run: TransactionRun, drift: DriftDays | None, alert_budget_per_day: int
) -> dict[str, Any]:
    """Give the figures of one seed."""
    found: dict[str, Any] = _judged(run.test, 0, alert_budget_per_day)
    learned_us = run.learning.total_ns / run.rows / 1000.0
    river_us = _river_us(run)
    event_us = run.deciding.p50_us + learned_us
    found |= {
        "event_us": event_us,
        "event_us_mean": run.deciding.mean_us + learned_us,
        "decide_us": run.deciding.p50_us,
        "predict_us": run.predicting.p50_us,
        "learned_share_us": learned_us,
        "lessons": run.learning.count,
        "ratio_to_river_logistic": None if river_us is None else river_us / event_us,
    }
    if drift is not None:
        found["drift"] = _drifted(run, drift)
    return found


def means(seeds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give the mean of each figure over the seeds."""
    return {
        name: means([each[name] for each in seeds])
        if isinstance(value, dict)
        else mean_of([each[name] for each in seeds])
        for name, value in seeds[0].items()
    }


def _judged(part: Scored, contestant: int, alert_budget_per_day: int) -> dict[str, float | None]:
    """Give how good one contestant's scores of the test part are."""
    names = (
        "average_precision_book", "average_precision_all", "card_precision_100", "ece",
        "auc_roc", "auc_roc_all", "precision_at_alert_budget", "recall_at_alert_budget",
    )  # fmt: skip
    if not len(part):
        return dict.fromkeys(names)
    scores, labels, days, fresh = part.scores(contestant), part.labels, part.days, part.fresh
    precision, recall = alerts_at_budget(days, labels, scores, max(alert_budget_per_day, 1))
    values = (
        average_precision(labels[fresh], scores[fresh]),
        average_precision(labels, scores),
        card_precision(
            days[fresh], part.cards[fresh], labels[fresh], scores[fresh], CARDS, drop_found=True
        ),
        expected_calibration_error(labels, scores, BINS),
        roc_auc(labels[fresh], scores[fresh]),
        roc_auc(labels, scores),
        precision,
        recall,
    )
    return {
        name: None if np.isnan(value) else float(value)
        for name, value in zip(names, values, strict=True)
    }


def _drifted(run: TransactionRun, drift: DriftDays) -> dict[str, float | None]:
    """Give average precision, all transactions, in both judged stretches."""
    days, labels = run.drifted.days, run.drifted.labels
    found: dict[str, float | None] = {}
    for prefix, name in (("average_precision", OURS), ("frozen", FROZEN)):
        for stretch, (begin, end) in (("week_2", drift.week_2), ("week_3", drift.week_3)):
            inside = (days >= begin) & (days <= end)
            at = run.contestants.index(name)
            value = average_precision(labels[inside], run.drifted.scores(at)[inside])
            found[f"{prefix}_{stretch}"] = None if np.isnan(value) else value
    return found


def _baselines(run: TransactionRun) -> dict[str, Any]:
    names = [name for name in (SCORECARD, RIVER) if name in run.contestants]
    kept = ("average_precision_book", "average_precision_all", "card_precision_100", "auc_roc")
    found: dict[str, Any] = {}
    for name in names:
        judged = _judged(run.test, run.contestants.index(name), 1)
        found[name] = {each: judged[each] for each in kept}
    if RIVER in found:
        found[RIVER]["event_us"] = _river_us(run)
    return found


def _river_us(run: TransactionRun) -> float | None:
    """Give what an event costs with River's logistic regression: the same features and fold."""
    if not run.river_predicting.count:
        return None
    shared_us = run.deciding.p50_us - run.predicting.p50_us
    learned_us = run.river_learning.total_ns / run.rows / 1000.0
    return shared_us + run.river_predicting.p50_us + learned_us
