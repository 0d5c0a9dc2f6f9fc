"""Reporting: when a report is due, and what is in it.

The desk of partition 0 reports for all: the learners are everybody's. What was reported is in its
ledger, so a report is an effect of a journal record like any other, and made once.
"""

from typing import Any

from models.effects import Effects
from models.quality.board import LEARNERS, QualityBoard
from models.quality.figures import figures
from models.quality.tallies import ALL
from models.state import Value
from models.version import CORE_VERSION
from schemas.quality import Quality, QualityKind

REPORTER = 0
"""The partition whose ticks report."""

EVERY_LESSONS = 5_000
EVERY_MS = 86_400_000


def is_report_due(
    board: QualityBoard, revision: int, ledger: Value | None, tick_ms: int, partition: int
) -> bool:
    """Tell whether a tick has to report.

    So it is at the first lesson, 5,000 lessons or a day (and any lesson) after the last report,
    and when a learner has lost or regained trust.
    """
    if partition != REPORTER or revision == 0:
        return False
    last = None if ledger is None else ledger.get("quality")
    if last is None:
        return True
    moved = revision - last["revision"]
    if moved <= 0:
        return False
    return bool(
        moved >= EVERY_LESSONS
        or tick_ms - last["at_ms"] >= EVERY_MS
        or board.verdict_changes != last["verdict_changes"]
    )


def report(
    board: QualityBoard,
    revision: int,
    ledger: Value | None,
    tick_ms: int,
    alert_budget_per_day: int,
    effects: Effects,
) -> dict[str, Any]:
    """Add verdicts, new drift signals and all figures to the effects.

    Returns:
        What is noted in the ledger.
    """
    last = None if ledger is None else ledger.get("quality")
    seen = 0 if last is None else last["signal_count"]
    known_ms = board.window.now_ms
    before = len(effects.items)

    def add(
        kind: QualityKind,
        learner: str,
        metric: str,
        value: float,
        baseline: float | None,
        segment: str = ALL,
        maturity: str = ALL,
        window_count: int = 0,
        missing_count: int = 0,
        at_ms: int = known_ms,
    ) -> None:
        quality: Quality = {
            "id": effects.next_id,
            "kind": kind,
            "learner": learner,
            "metric": metric,
            "segment": segment,
            "maturity": maturity,
            "value": value,
            "baseline": baseline,
            "window_count": window_count,
            "missing_count": missing_count,
            "revision": revision,
            "known_ms": at_ms,
            "core": CORE_VERSION,
        }
        effects.quality(quality)

    for learner in LEARNERS:
        lead, count = board.lead(learner)
        trusted = 1.0 if board.trusts(learner) else 0.0
        add("verdict", learner, "trusted", trusted, lead, window_count=count)
    for signal in board.drift.signals:
        if signal.number > seen:
            add(
                "drift",
                signal.learner,
                signal.what,
                signal.after,
                signal.before,
                at_ms=signal.known_ms,
            )
    for figure in figures(board, alert_budget_per_day):
        add("figure", *figure[:2], *figure[4:6], *figure[2:4], *figure[6:])
    return {
        "revision": revision,
        "at_ms": tick_ms,
        "verdict_changes": board.verdict_changes,
        "signal_count": board.drift.signal_count,
        "record_count": len(effects.items) - before,
    }
