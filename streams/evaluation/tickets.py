"""Evaluates a file of tickets, shuffle by shuffle."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from models.evaluation.baselines import SLOW, TICKET_BASELINES, tokens
from models.evaluation.ceiling import require, ticket_ceiling
from models.evaluation.ticket_report import report_tickets
from models.evaluation.tickets import TicketProtocol, TicketRun, run_tickets
from models.policy import POLICY_V1, Policy
from streams.evaluation.rows import TicketFile, read_tickets
from streams.evaluation.shares import spread
from streams.evaluation.versions import versions

Baselines = Literal["none", "standard", "full"]
MOST_WORK = 60_000_000
"""Words times classes that `standard` puts River's learners through: a few minutes a pass."""
NOT_MEASURED: dict[str, float | int | None] = {
    "prequential_accuracy": None,
    "prequential_accuracy_last_fifth": None,
    "test_accuracy": None,
    "predict_us": None,
    "learn_us": None,
    "shuffles": 0,
}
"""Stands for a baseline that would have taken too long."""

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
        baselines: ``standard`` measures slow ones less often, see `chosen`.
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
    classes = {row.label for row in file.stream}
    work = len(classes) * sum(len(tokens(row.text)) for row in (*file.stream, *file.test))
    runs = spread(partial(run_shuffle, file, protocol, baselines, work), shuffles, jobs, told)
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
    if baselines != "none":
        for name in TICKET_BASELINES:
            report["baselines"].setdefault(name, NOT_MEASURED)
    if ceiling:
        told("fitting the ceiling", 0, 1)
        report["ceiling"] = ticket_ceiling(file.stream, file.test)
    return report


def run_shuffle(
    file: TicketFile,
    protocol: TicketProtocol,
    baselines: Baselines,
    work: int,
    seed: int,
    told: Told,
) -> TicketRun:
    """Run one shuffle; ``told`` is told the progress."""
    total = len(file.stream)
    return run_tickets(
        file.stream,
        file.test,
        seed,
        protocol,
        Policy.from_content(POLICY_V1),
        chosen(baselines, seed, work),
        time.perf_counter_ns,
        lambda count: told(f"shuffle {seed}", count, total),
    )


def chosen(baselines: Baselines, seed: int, work: int) -> Sequence[str]:
    """Name the baselines of a shuffle.

    Args:
        baselines: As asked for.
        seed: Of the shuffle.
        work: Words in all texts times classes: what River's learners go through in a pass.
    """
    if baselines == "none":
        return ()
    if baselines == "full":
        return TICKET_BASELINES
    first = seed == 0
    return [
        name
        for name in TICKET_BASELINES
        if name == "majority"
        or (name in SLOW and first and work <= MOST_WORK)
        or (name not in SLOW and (first or work <= MOST_WORK))
    ]
