"""Evaluates a file of transactions, seed by seed."""

import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from models.evaluation.ceiling import require, transaction_ceiling
from models.evaluation.dates import DAY_S, days_tested, drift_days, name_of
from models.evaluation.transaction_report import report_transactions
from models.evaluation.transactions import Stream, TransactionProtocol, TransactionRun
from models.policy import POLICY_V1, Policy
from streams.evaluation.rows import Span, read_transactions, span_of
from streams.evaluation.shares import Told, spread
from streams.evaluation.versions import versions


def evaluate_transactions(
    path: Path,
    label_delay_days: int,
    drift: bool,
    seeds: int,
    baselines: bool,
    ceiling: bool,
    whole: bool,
    jobs: int,
    told: Told,
) -> dict[str, Any]:
    """Give the report of a file.

    Args:
        path: JSON Lines as `streams.simulator.filerows` reads them.
        label_delay_days: How late frauds are known, at least 0.
        drift: Whether amounts shift.
        seeds: How many, from 0.
        baselines: Whether others are measured beside, with the first seed.
        ceiling: Whether to fit scikit-learn's boosted trees as well.
        whole: Go on after the test part, to the end of the file.
        jobs: How many processes; more than one disturb each other's timings.
        told: Is told the progress.

    Raises:
        RejectedError: the file is not as described, or too short for the drift.
        MisconfiguredError: scikit-learn is wanted and not there.
    """
    if ceiling:
        require()
    told("looking for the first and the last day", 0, 1)
    span = span_of(path)
    test = days_tested(span.first_ts, span.last_ts, label_delay_days)
    shift = drift_days(span.first_ts, span.last_ts) if drift else None
    until_day = test.until_day
    if shift is not None:
        until_day = max(until_day, shift.week_3[1])
    until_s = span.last_ts + 1 if whole else (until_day + 1) * DAY_S
    protocol = TransactionProtocol(test, label_delay_days, shift, baselines, ceiling)
    runs = spread(partial(run_seed, path, span, protocol, until_s), seeds, jobs, told)
    budget = _policy().alert_budget_per_day
    report = {
        "evaluated": "transactions",
        "config": {
            "file": path.name,
            "rows": runs[0].rows,
            "rows_in_file": span.rows,
            "frauds": runs[0].frauds,
            "label_delay_days": label_delay_days,
            "drift": "inject" if drift else "none",
            "whole": whole,
            "drift_days": None if shift is None else _dates(asdict(shift)),
            "seeds": list(range(seeds)),
            "alert_budget_per_day": budget,
            "policy": _policy().digest,
            **versions(),
        },
        **report_transactions(runs, test, shift, budget),
    }
    if ceiling:
        told("fitting the ceiling", 0, 1)
        report["ceiling"] = transaction_ceiling(runs[0])
    return report


def run_seed(
    path: Path, span: Span, protocol: TransactionProtocol, until_s: int, seed: int, told: Told
) -> TransactionRun:
    """Run one seed over the file; what is measured beside, with the first."""
    policy = _policy()
    first = seed == 0
    own = replace(
        protocol, baselines=protocol.baselines and first, ceiling=protocol.ceiling and first
    )
    stream = Stream(seed, policy, own, time.perf_counter_ns)

    def tell(count: int, ts: int) -> None:
        told(f"seed {seed}, {name_of(ts // DAY_S)}", count, span.rows)

    stream.take(read_transactions(path, until_s), tell)
    return stream.run


def _policy() -> Policy:
    return Policy.from_content(POLICY_V1)


def _dates(days: dict[str, Any]) -> dict[str, Any]:
    """Write days as dates."""
    return {
        name: name_of(value) if isinstance(value, int) else [name_of(day) for day in value]
        for name, value in days.items()
    }
