"""The demo's result fits a terminal of 80 columns and says how bad it is."""

import io
from typing import Any

from rich.console import Console

from streams.demo.summary import summary


def report(**changes: Any) -> dict[str, Any]:
    kinds = ("anomaly", "risk")
    return {
        "events_in": {"tickets": 20_000, "transactions": 110_000, "feedback": 9_999},
        "journal_records": 140_123,
        "lost": 0,
        "duplicated": 0,
        "dead_letters": 1_000,
        "alerts": 2_800,
        "priority_changes": 40_000,
        "questions": 1_999,
        "lessons": 61_234,
        "tickets": {
            "decided": 20_000,
            "categories": 77,
            "prequential_accuracy": 0.8123,
            "last_fifth_accuracy": 0.9012,
            "majority_accuracy": 0.0131,
            "answered_share": 0.7123,
            "answered_accuracy": 0.9512,
            "asked_share": 0.1,
        },
        "transactions": {
            "decided": 110_000,
            "frauds": 1_000,
            "average_precision": 0.41,
            "by_score_kind": {k: {"decided": 55_000, "average_precision": 0.3} for k in kinds},
        },
        "latency_ms": {"p50": 12.34, "p99": 99.5},
        "events_per_s": 1_234.5,
        "warehouse_rows": {"transaction_decisions": 110_000, "alerts": 2_800, "ticks": 7},
        "roles_restarted": [],
    } | changes


def shown(content: dict[str, Any]) -> str:
    out = io.StringIO()
    Console(file=out, width=80, color_system=None).print(summary(content))
    return out.getvalue()


def test_result_fits_80_columns_without_folding_a_line() -> None:
    lines = shown(report()).splitlines()
    assert len(lines) == 17, lines


def test_unsupervised_score_is_named_as_such() -> None:
    assert "unsupervised: 0.300 on 55,000 (no fraud was known yet)" in shown(report())


def test_result_without_tickets_labels_or_latency_is_shown() -> None:
    nothing = report(
        tickets={"decided": 0},
        transactions={"decided": 0},
        latency_ms={"p50": None, "p99": None},
        events_per_s=None,
    )
    assert [line.split() for line in shown(nothing).splitlines() if "none" in line] == [
        ["tickets", "none"],
        ["transactions", "none"],
    ]


def test_loss_and_restarts_are_told() -> None:
    text = shown(report(lost=3, duplicated=1, roles_restarted=["desk/desk-1"]))
    assert "3 / 1" in text
    assert "desk/desk-1" in text
