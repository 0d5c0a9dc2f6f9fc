"""What a campaign prints."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

GUARANTEES = ("lost", "duplicated", "differing")


class Screen:
    """Prints lines while the campaign runs and tables at its end.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, text: str) -> None:
        """Print a line as it is."""
        self._console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)

    def report(self, report: Mapping[str, Any]) -> None:
        """Print the result."""
        table = Table(title="faults survived", title_justify="left", show_edge=False)
        table.add_column("fault")
        table.add_column("count", justify="right")
        table.add_column("recovered in, s (p50 / max)", justify="right")
        recoveries = report["recovery_by_kind_s"]
        for kind, count in report["faults"].items():
            spread = recoveries.get(kind, {"p50": None, "max": None})
            table.add_row(kind, str(count), f"{_figure(spread['p50'])} / {_figure(spread['max'])}")
        self._console.print()
        self._console.print(table)
        summary = Table(show_header=False, show_edge=False, box=None)
        rows: list[tuple[str, object]] = [
            ("events in", report["events_in"]),
            *((name, report[name]) for name in GUARANTEES),
            ("dead letters", report["dead_letters"]),
            ("recovery, s (p50 / max)", _pair(report["recovery_s"])),
            ("moving again, s (p50 / max)", _pair(report["moving_again_s"])),
            ("longest pause of decisions, s", report["longest_pause_s"]),
        ]
        if report["unexpected_ends"]:
            rows.append(("roles that ended by themselves", report["unexpected_ends"]))
        if "replay" in report:
            replay = report["replay"]
            rows.append(
                ("replayed: equal / differing", f"{replay['equal']} / {replay['differing']}")
            )
        for name, value in rows:
            summary.add_row(name, str(value))
        self._console.print()
        self._console.print(summary)
        for name in ("not_struck", "not_recovered", "notes"):
            for each in report[name]:
                self.line(f"{name.replace('_', ' ')}: {each}")

    @staticmethod
    def failed(report: Mapping[str, Any]) -> bool:
        """Tell whether a promise was broken, or the campaign did not do what it was to do."""
        broken = any(report[name] for name in GUARANTEES)
        undone = bool(report["not_struck"] or report["not_recovered"])
        return broken or undone or bool(report.get("replay", {}).get("differing"))


def _pair(spread: Mapping[str, float | None]) -> str:
    return f"{_figure(spread['p50'])} / {_figure(spread['max'])}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
