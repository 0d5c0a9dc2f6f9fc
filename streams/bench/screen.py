"""What ``riverdesk bench`` prints, on 80 columns: ratios first, each with the floor beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.bench import headlines
from streams.bench.fixed_job import REFERENCE_FLOOR_US
from streams.bench.headlines import told

WITH_TABLES = headlines.PARTS | {
    *("fixed_job", "peers", "latency", "latency_half_load", "versions", "failed")
}


class Screen:
    """Prints lines while the bench runs and tables at its end.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, text: str) -> None:
        """Print a line as it is."""
        self._console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)

    def report(self, report: Mapping[str, Any]) -> None:
        """Print the result; parts that are not known here are printed key by key."""
        for name, chosen in (("ratio", headlines.RATIOS), ("figure", headlines.FIGURES)):
            beside = "floor" if name == "ratio" else "beside it"
            rows = list(headlines.rows(chosen, report))
            self._table("", (name, "median (min–max)", beside), rows)
        self._engines(report)
        self._latencies(report)
        for name, part in report.items():
            if name not in WITH_TABLES and isinstance(part, Mapping):
                self._other(name, part)
        for name, why in report.get("failed", {}).items():
            self.line(f"not measured: {name}: {why}")

    def _engines(self, report: Mapping[str, Any]) -> None:
        engines = {"desk": report["fixed_job"]} if "fixed_job" in report else {}
        engines |= _engines(report, "overhead_us")
        rows = [
            (
                name,
                told(each, "overhead_us", 1),
                f"{each['floor_us']:.1f}",
                f"{each['scaled_us']:.1f}",
                f"{each['events_per_s']:,.0f}",
            )
            for name, each in engines.items()
            if "overhead_us" in each
        ]
        scaled = f"at {REFERENCE_FLOOR_US:.0f}"
        columns = ("fixed job on", "CPU over floor", "floor", scaled, "events/s")
        self._table("one fixed job, CPU an event, µs", columns, rows)
        for name, each in engines.items():
            if failed := each.get("failed_runs", 0):
                self.line(f"{name}: {failed} further runs gave no figure")

    def _latencies(self, report: Mapping[str, Any]) -> None:
        real: dict[str, Mapping[str, Any]] = {}
        fixed: dict[str, Mapping[str, Any]] = {}
        if "latency" in report:
            real["at the fixed rate"] = report["latency"]
            if "fixed_job" in report["latency"]:
                fixed["desk"] = report["latency"]["fixed_job"]
        if "latency_half_load" in report:
            real["at half load"] = report["latency_half_load"]
        fixed |= {name: each["latency"] for name, each in _engines(report, "latency").items()}
        for first, found in (("real desk", real), ("fixed job on", fixed)):
            rows = [
                (
                    name,
                    told(each, "p50_ms", 1),
                    told(each, "p99_ms", 1),
                    told(each, "cpu_percent", 0),
                )
                for name, each in found.items()
                if "p50_ms" in each
            ]
            columns = (first, "p50", "p99", "CPU, %")
            self._table("published to journal, ms", columns, rows)

    def _other(self, name: str, part: Mapping[str, Any]) -> None:
        rows = [(key, f"{each:,}") for key, each in part.items() if isinstance(each, int | float)]
        self._table(name, ("measure", "figure"), rows)

    def _table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        table = Table(title=title or None, title_justify="left", show_edge=False)
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        self._console.print()
        self._console.print(table)


def _engines(report: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    peers = report.get("peers", {})
    return {name: e for name, e in peers.items() if isinstance(e, Mapping) and key in e}
