"""What a person sees while the demo runs, and at its end."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from streams.demo.audit import Seen
from streams.demo.measures import ticket_quality, transaction_quality
from streams.demo.subscriber import Subscriber
from streams.simulator.schedule import Truth

EXAMPLES_EVERY_DAYS = 3
TOLD_POINTS = 0.5
"""Smaller contributions would be shown as +0."""
PRIORITY_STYLES = {"P1": "bold red", "P2": "red", "P3": "yellow", "P4": "green", "P5": "dim"}


class Screen:
    """Lines for people; a moving status line where the output is a terminal.

    Args:
        console: Where to write.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.at_ms = 0
        self._count = 0
        self._status: Status | None = None
        self._day_count = 0

    def step(self, line: str) -> None:
        """Say what has been started."""
        self.console.print(Text("  · ", style="dim") + Text(line))

    def phase(self, line: str) -> None:
        """Say what comes next."""
        self.console.print(Text(line, style="bold"))

    def explain(self, line: str) -> None:
        """Say what the figures that follow mean."""
        self.console.print(Text(line, style="dim"))

    def progressed(self, count: int, at_ms: int) -> None:
        """Note how many events were published and up to which event time."""
        self._count, self.at_ms = count, at_ms
        if self.console.is_terminal:
            if self._status is None:
                self._status = self.console.status("streaming")
                self._status.start()
            self._status.update(f"{count:,} events, {_when(at_ms)}")

    def day_passed(self, seen: Seen, truth: Truth, subscriber: Subscriber) -> None:
        """Show how the learners did up to now, and the newest outputs now and then."""
        tickets = ticket_quality(seen, truth)
        payments = transaction_quality(seen, truth)
        if not tickets["decided"] and not payments["decided"]:
            return
        if not self._day_count:
            self._heading()
        kind = seen.transactions[-1].score_kind if seen.transactions else "-"
        self.console.print(
            Text.assemble(
                (f"  {_when(self.at_ms)[:10]}", "cyan"),
                f"{sum(seen.kinds.values()):>9,}",
                (f"{_percent(tickets['recent_accuracy']):>8}", "bold"),
                f"{tickets['labels']:>8,}",
                (f"{_figure(payments['average_precision']):>9}", "bold"),
                f"{payments['labels']:>8,}  {kind:<8}",
                f"{subscriber.alert_count:>7,}{subscriber.change_count:>8,}",
            ),
            soft_wrap=True,
        )
        self._day_count += 1
        if self._day_count % EXAMPLES_EVERY_DAYS == 0:
            self._examples(subscriber)

    def _heading(self) -> None:
        groups = f"  {'':<10}{'':>9}   {'── tickets ──':<15}{'──── fraud ────':<25}── out ──"
        names = f"  {'day':<10}{'decided':>9}{'right':>8}{'labels':>8}{'AP':>9}{'labels':>8}"
        names += f"  {'score':<8}{'alerts':>7}{'changes':>8}"
        self.console.print(Text(groups, style="dim"), soft_wrap=True)
        self.console.print(Text(names, style="dim"), soft_wrap=True)

    def finish(self) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def report(self, report: Mapping[str, Any]) -> None:
        """Show the result."""
        self.finish()
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
        table.add_row("lost / duplicated", self._verdict(report))
        table.add_row("dead letters", f"{report['dead_letters']:,}")
        table.add_row(
            "out",
            f"{report['alerts']:,} alerts, {report['priority_changes']:,} priority changes, "
            f"{report['lessons']:,} lessons",
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
        self.console.print()
        self.console.print(table)

    def _examples(self, subscriber: Subscriber) -> None:
        for change in list(subscriber.changes)[-2:]:
            reasons = sorted(change["reasons"], key=lambda reason: -abs(reason["contribution"]))
            why = ", ".join(
                f"{each['name']} {each['contribution']:+.0f}"
                for each in reasons[:3]
                if abs(each["contribution"]) >= TOLD_POINTS
            )
            before = f"was {change['previous']}" if change["previous"] else "new"
            self.console.print(
                Text.assemble(
                    "    ",
                    (change["priority"], PRIORITY_STYLES[change["priority"]]),
                    f" ({before}) {change['ticket_id']}: "
                    f"{change['score']:.0f} = {why}; {change['cause']}",
                ),
                soft_wrap=True,
            )
        for alert in list(subscriber.alerts)[-1:]:
            tickets = alert["open_ticket_ids"]
            self.console.print(
                Text.assemble(
                    "    ",
                    ("ALERT", "bold magenta"),
                    f" {alert['severity']}, {alert['typology']}, {alert['entity']}: "
                    f"{alert['amount_minor'] / 100:.2f} {alert['currency']}, "
                    f"score {alert['score']:.2f}"
                    + (f", raises {', '.join(tickets)}" if tickets else ""),
                ),
                soft_wrap=True,
            )

    @staticmethod
    def _verdict(report: Mapping[str, Any]) -> Text:
        good = report["lost"] == 0 and report["duplicated"] == 0
        return Text(
            f"{report['lost']} / {report['duplicated']}", style="bold green" if good else "bold red"
        )


def _ticket_lines(tickets: Mapping[str, Any]) -> str:
    if not tickets["decided"]:
        return "none"
    return (
        f"{_percent(tickets['prequential_accuracy'])} right before the label was known, "
        f"last fifth {_percent(tickets['last_fifth_accuracy'])}\n"
        f"(always the commonest of {tickets['categories']} categories: "
        f"{_percent(tickets['majority_accuracy'])})"
    )


def _transaction_lines(payments: Mapping[str, Any]) -> str:
    if not payments["decided"]:
        return "none"
    lines = [
        f"average precision {_figure(payments['average_precision'])} on all "
        f"{payments['decided']:,}, {payments['frauds']:,} of them fraud"
    ]
    for kind, each in payments["by_score_kind"].items():
        note = "no fraud was known yet" if kind == "anomaly" else "learned from labels"
        figure = _figure(each["average_precision"])
        name = "unsupervised" if kind == "anomaly" else "risk learner"
        lines.append(f"{name}: {figure} on {each['decided']:,} ({note})")
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


def _when(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
