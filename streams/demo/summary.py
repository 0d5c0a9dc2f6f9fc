"""The demo's result as a table for people; fits 80 columns."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from rich.table import Table
from rich.text import Text


def summary(report: Mapping[str, Any]) -> Table:
    """Lay out what the demo reports."""
    inputs, tickets, payments = (
        report["events_in"], report["tickets"], report["transactions"],
    )  # fmt: skip
    table = Table(title="What happened", title_justify="left", show_header=False, box=None)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    table.add_row(
        "events in",
        f"{inputs['tickets']:,} tickets, {inputs['transactions']:,} transactions, "
        f"{inputs['feedback']:,} feedback",
    )
    table.add_row("journal", f"{report['journal_records']:,} records")
    table.add_row("lost / duplicated", _verdict(report))
    table.add_row("dead letters", f"{report['dead_letters']:,}")
    table.add_row(
        "out",
        f"{report['alerts']:,} alerts, {report['priority_changes']:,} priority changes",
    )
    table.add_row(
        "to learn from",
        f"{report['questions']:,} questions, {report['lessons']:,} lessons",
    )
    table.add_row("tickets", _ticket_lines(tickets))
    table.add_row("transactions", _transaction_lines(payments))
    wait = report["latency_ms"]
    if wait["p50"] is not None:
        table.add_row(
            "latency",
            f"p50 {wait['p50']:.0f} ms, p99 {wait['p99']:.0f} ms, publishing to journal",
        )
    if report["events_per_s"] is not None:
        table.add_row(
            "throughput",
            f"{report['events_per_s']:,.0f} events/s, all lessons learned at every event-hour",
        )
    table.add_row("in ClickHouse", _in_pairs(report["warehouse_rows"]))
    if report["roles_restarted"]:
        table.add_row("restarted", ", ".join(report["roles_restarted"]))
    return table


def percent(share: float | None) -> str:
    """Give a share as people read it."""
    return "-" if share is None else f"{share:.1%}"


def figure(value: float | None) -> str:
    """Give a measure with three digits."""
    return "-" if value is None else f"{value:.3f}"


def _verdict(report: Mapping[str, Any]) -> Text:
    good = report["lost"] == 0 and report["duplicated"] == 0
    return Text(
        f"{report['lost']} / {report['duplicated']}", style="bold green" if good else "bold red"
    )


def _ticket_lines(tickets: Mapping[str, Any]) -> str:
    if not tickets["decided"]:
        return "none"
    return (
        f"{percent(tickets['prequential_accuracy'])} right before the label was known, "
        f"last fifth {percent(tickets['last_fifth_accuracy'])}\n"
        f"(always the commonest of {tickets['categories']} categories: "
        f"{percent(tickets['majority_accuracy'])})\n"
        f"{percent(tickets['answered_share'])} answered for, "
        f"{percent(tickets['answered_accuracy'])} of them right; "
        f"{percent(tickets['asked_share'])} asked about"
    )


def _transaction_lines(payments: Mapping[str, Any]) -> str:
    if not payments["decided"]:
        return "none"
    lines = [
        f"average precision {figure(payments['average_precision'])} on all "
        f"{payments['decided']:,}, {payments['frauds']:,} of them fraud"
    ]
    for kind, each in payments["by_score_kind"].items():
        note = "no fraud was known yet" if kind == "anomaly" else "learned from labels"
        shown = figure(each["average_precision"])
        name = "unsupervised" if kind == "anomaly" else "risk learner"
        lines.append(f"{name}: {shown} on {each['decided']:,} ({note})")
    return "\n".join(lines)


def _in_pairs(rows: Mapping[str, int]) -> Table:
    """Lay tables and their counts out in two columns."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        grid.add_column(no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
    cells = [(name, f"{count:,}") for name, count in rows.items()]
    half = (len(cells) + 1) // 2
    for left, right in zip_longest(cells[:half], cells[half:], fillvalue=("", "")):
        grid.add_row(*left, *right)
    return grid
