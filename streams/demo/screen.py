"""What a person sees while the demo runs, and at its end."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from streams.demo.audit import Seen
from streams.demo.measures import RECENT_TICKETS, ticket_quality, transaction_quality
from streams.demo.subscriber import Subscriber
from streams.simulator.schedule import Truth

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
        transactions = transaction_quality(seen, truth)
        if not tickets["decided"]:
            return
        kind = seen.transactions[-1].score_kind if seen.transactions else "-"
        line = Text.assemble(
            (f"  {_when(self.at_ms)[:10]}", "cyan"),
            f"  {sum(seen.kinds.values()):>7,} decided",
            f"  last {min(RECENT_TICKETS, tickets['decided'])} tickets right ",
            (_percent(tickets["recent_accuracy"]), "bold"),
            f" (labels {tickets['labels']:,})",
            "  fraud AP ",
            (_figure(transactions["average_precision"]), "bold"),
            f" ({kind}, labels {transactions['labels']:,})",
            f"  alerts {subscriber.alert_count:,}",
            f"  priorities changed {subscriber.change_count:,}",
        )
        self.console.print(line, soft_wrap=True)
        self._day_count += 1
        if self._day_count % 3 == 0:
            self._examples(subscriber)

    def finish(self) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def report(self, report: Mapping[str, Any]) -> None:
        """Show the result."""
        self.finish()
        inputs = report["events_in"]
        table = Table(title="What happened", title_justify="left", show_header=False, box=None)
        table.add_column(style="cyan")
        table.add_column()
        table.add_row(
            "events in",
            f"{inputs['tickets']:,} tickets · {inputs['transactions']:,} transactions · "
            f"{inputs['feedback']:,} feedback",
        )
        table.add_row("journal", f"{report['journal_records']:,} records")
        table.add_row("lost / duplicated", self._verdict(report))
        table.add_row("dead letters", f"{report['dead_letters']:,}")
        table.add_row(
            "out",
            f"{report['alerts']:,} alerts · {report['priority_changes']:,} priority changes · "
            f"{report['lessons']:,} lessons",
        )
        tickets, payments = report["tickets"], report["transactions"]
        table.add_row(
            "tickets",
            f"{_percent(tickets['prequential_accuracy'])} right before the label was known, "
            f"{_percent(tickets['last_fifth_accuracy'])} in the last fifth "
            f"({tickets['categories']} categories, always the commonest: "
            f"{_percent(tickets['majority_accuracy'])})",
        )
        table.add_row(
            "transactions",
            f"average precision {_figure(payments['average_precision'])} on all "
            f"{payments['decided']:,} ({payments['frauds']:,} frauds; score: {payments['score']})",
        )
        for kind, each in payments["by_score_kind"].items():
            note = "no label had arrived" if kind == "anomaly" else "learned from labels"
            table.add_row(
                "",
                f"{kind}: {_figure(each['average_precision'])} on {each['decided']:,} ({note})",
            )
        wait = report["latency_ms"]
        table.add_row(
            "latency", f"p50 {wait['p50']} ms, p99 {wait['p99']} ms, published to journal"
        )
        table.add_row("throughput", f"{report['events_per_s']:,} events/s, learning included")
        table.add_row(
            "ClickHouse",
            " · ".join(f"{name} {count:,}" for name, count in report["warehouse_rows"].items()),
        )
        self.console.print()
        self.console.print(table)

    def _examples(self, subscriber: Subscriber) -> None:
        for change in list(subscriber.changes)[-2:]:
            reasons = sorted(change["reasons"], key=lambda reason: -abs(reason["contribution"]))
            why = ", ".join(f"{each['name']} {each['contribution']:+.0f}" for each in reasons[:3])
            self.console.print(
                Text.assemble(
                    "      ",
                    (change["priority"], PRIORITY_STYLES[change["priority"]]),
                    f" (was {change['previous'] or 'new'}) ticket {change['ticket_id']}: "
                    f"{change['score']:.0f} points, {why}; cause {change['cause']}",
                ),
                soft_wrap=True,
            )
        for alert in list(subscriber.alerts)[-1:]:
            self.console.print(
                Text.assemble(
                    "      ",
                    ("ALERT", "bold magenta"),
                    f" {alert['severity']} {alert['typology']} {alert['entity']}: "
                    f"score {alert['score']:.2f} ({alert['score_kind']}), "
                    f"{alert['amount_minor'] / 100:.2f} {alert['currency']}, "
                    f"open tickets: {', '.join(alert['open_ticket_ids']) or 'none'}",
                ),
                soft_wrap=True,
            )

    @staticmethod
    def _verdict(report: Mapping[str, Any]) -> Text:
        good = report["lost"] == 0 and report["duplicated"] == 0
        return Text(
            f"{report['lost']} / {report['duplicated']}", style="bold green" if good else "bold red"
        )


def _when(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
