"""What a person sees while the demo runs, and at its end."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from streams.demo.audit import Seen
from streams.demo.measures import ticket_quality, transaction_quality
from streams.demo.subscriber import Subscriber
from streams.demo.summary import figure, percent, summary
from streams.simulator.schedule import Truth

EXAMPLES_EVERY_DAYS = 3
TOLD_REASONS = 2
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
                (f"{percent(tickets['recent_accuracy']):>8}", "bold"),
                f"{tickets['labels']:>8,}",
                (f"{figure(payments['average_precision']):>9}", "bold"),
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
        self.console.print()
        self.console.print(summary(report))

    def _examples(self, subscriber: Subscriber) -> None:
        for change in list(subscriber.changes)[-2:]:
            before = f"{change['previous']}→" if change["previous"] else "new "
            self.console.print(
                Text.assemble(
                    f"    {before}",
                    (change["priority"], PRIORITY_STYLES[change["priority"]]),
                    f" {change['ticket_id']}: {change['score']:.0f} points, "
                    f"{_strongest(change['reasons'])}; {change['cause']}",
                ),
                soft_wrap=True,
            )
        for question in list(subscriber.questions)[-1:]:
            guesses = ", ".join(
                f"{each['label']} {each['probability']:.0%}" for each in question["categories"][:2]
            )
            self.console.print(
                Text.assemble(
                    "    ",
                    ("ASKED", "bold cyan"),
                    f" {question['ticket_id']} ({question['reason']}): "
                    f"{guesses or 'no category is known yet'}?",
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


def _strongest(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Name the largest contributions in points; the others are three dots."""
    told = [each for each in reasons if abs(each["contribution"]) >= TOLD_POINTS]
    told.sort(key=lambda reason: -abs(reason["contribution"]))
    named = [f"{each['name']} {each['contribution']:+.0f}" for each in told[:TOLD_REASONS]]
    return ", ".join(named + ["…"] * (len(told) > TOLD_REASONS))


def _when(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
