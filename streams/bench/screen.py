"""What ``riverdesk bench`` prints: ratios first, each with the floor beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.bench.fixed_job import REFERENCE_FLOOR_US


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
        known = {"fixed_job", "peers", "desk", "latency", "latency_half_load", "scale"}
        self._ratios(report)
        self._engines(report)
        self._latencies(report)
        for name, part in report.items():
            if name not in known and isinstance(part, Mapping):
                self._other(name, part)

    def _ratios(self, report: Mapping[str, Any]) -> None:
        rows: list[tuple[str, str, str]] = []
        if "desk" in report:
            desk = report["desk"]
            floor = f"{desk['cpu_us']:.0f} over {desk['core_us']:.0f} µs an event"
            rows.append(("real desk / its pure core", _figure(desk, "ratio_to_core"), floor))
        if "scale" in report:
            scale = report["scale"]
            allowed = f"the machine allows {scale['machine_ratio']:.2f}"
            rows.append(("two desks / one", _figure(scale, "ratio"), allowed))
        self._table("ratios", ("measure", "median (min – max)", "beside it"), rows)

    def _engines(self, report: Mapping[str, Any]) -> None:
        engines = {"desk": report["fixed_job"]} if "fixed_job" in report else {}
        engines |= _engines(report, "overhead_us")
        rows = [
            (
                name,
                _figure(each, "overhead_us"),
                f"{each['floor_us']:.1f}",
                f"{each['scaled_us']:.1f}",
                f"{each['events_per_s']:,.0f}",
            )
            for name, each in engines.items()
            if "overhead_us" in each
        ]
        scaled = f"at a floor of {REFERENCE_FLOOR_US:.0f}"
        columns = ("fixed job on", "over the floor, µs", "floor, µs", scaled, "events/s")
        self._table("one fixed job, CPU an event", columns, rows)

    def _latencies(self, report: Mapping[str, Any]) -> None:
        found: dict[str, Mapping[str, Any]] = {}
        if "latency" in report:
            found["real desk"] = report["latency"]
            if "fixed_job" in report["latency"]:
                found["fixed job on desk"] = report["latency"]["fixed_job"]
        if "latency_half_load" in report:
            found["real desk at half load"] = report["latency_half_load"]
        for name, each in _engines(report, "latency").items():
            found[f"fixed job on {name}"] = each["latency"]
        rows = [
            (name, *(_figure(each, key) for key in ("p50_ms", "p99_ms", "cpu_percent")))
            for name, each in found.items()
            if "p50_ms" in each
        ]
        columns = ("published to journal", "p50, ms", "p99, ms", "worker's CPU, %")
        self._table("latency", columns, rows)

    def _other(self, name: str, part: Mapping[str, Any]) -> None:
        rows = [(key, f"{each:,}") for key, each in part.items() if isinstance(each, int | float)]
        self._table(name, ("measure", "figure"), rows)

    def _table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        table = Table(title=title, title_justify="left", show_edge=False)
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        self._console.print()
        self._console.print(table)


def _engines(report: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    peers = report.get("peers", {})
    return {name: e for name, e in peers.items() if isinstance(e, Mapping) and key in e}


def _figure(part: Mapping[str, Any], key: str) -> str:
    spread = part.get("spread", {}).get(key)
    figure = f"{part[key]:,.2f}"
    return f"{figure} ({spread['min']:,.2f} – {spread['max']:,.2f})" if spread else figure
