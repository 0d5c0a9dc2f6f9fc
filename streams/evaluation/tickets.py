"""Evaluates a file of tickets, shuffle by shuffle."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from models.evaluation.baselines import SLOW, TICKET_BASELINES
from models.evaluation.ceiling import require, ticket_ceiling
from models.evaluation.ticket_report import report_tickets
from models.evaluation.tickets import TicketProtocol, TicketRun, run_tickets
from models.policy import POLICY_V1, Policy
from streams.evaluation.rows import TicketFile, read_tickets
from streams.evaluation.shares import spread
from streams.evaluation.versions import versions

Baselines = Literal["none", "standard", "full"]
Told = Callable[[str, int, int], None]
"""Is told what is being done, how far it is, and of how much."""


def evaluate_tickets(
    path: Path,
    shuffles: int,
    protocol: TicketProtocol,
    baselines: Baselines,
    ceiling: bool,
    jobs: int,
    told: Told,
) -> dict[str, Any]:
    """Give the report of a file.

    Args:
        path: JSON Lines as `streams.simulator.filerows` reads them.
        shuffles: How many, from seed 0.
        protocol: When labels come, and which.
        baselines: ``standard`` measures the slow one on the first shuffle only.
        ceiling: Whether to fit scikit-learn's batch learner as well.
        jobs: How many processes; more than one disturb each other's timings.
        told: Is told the progress; of one process only.

    Raises:
        RejectedError: the file is not as described.
        MisconfiguredError: scikit-learn is wanted and not there.
    """
    if ceiling:
        require()
    told("reading", 0, 1)
    file = read_tickets(path)
    runs = spread(partial(run_shuffle, file, protocol, baselines), shuffles, jobs, told)
    classes = {row.label for row in file.stream}
    report = {
        "evaluated": "tickets",
        "config": {
            "file": path.name,
            "rows": len(file.stream),
            "test_rows": len(file.test),
            "left_out_rows": file.left_out,
            "classes": len(classes),
            "test_only_classes": len({row.label for row in file.test} - classes),
            "shuffles": shuffles,
            "seeds": list(range(shuffles)),
            "baselines": baselines,
            **asdict(protocol),
            **versions(),
        },
        **report_tickets(runs),
    }
    if ceiling:
        told("fitting the ceiling", 0, 1)
        report["ceiling"] = ticket_ceiling(file.stream, file.test)
    return report


def run_shuffle(
    file: TicketFile, protocol: TicketProtocol, baselines: Baselines, seed: int, told: Told
) -> TicketRun:
    """Run one shuffle; ``told`` is told the progress."""
    total = len(file.stream)
    return run_tickets(
        file.stream,
        file.test,
        seed,
        protocol,
        Policy.from_content(POLICY_V1),
        chosen(baselines, seed),
        time.perf_counter_ns,
        lambda count: told(f"shuffle {seed}", count, total),
    )


def chosen(baselines: Baselines, seed: int) -> Sequence[str]:
    """Name the baselines of a shuffle."""
    if baselines == "none":
        return ()
    return [
        name for name in TICKET_BASELINES if baselines == "full" or seed == 0 or name not in SLOW
    ]
