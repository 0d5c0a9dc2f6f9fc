"""Answers as tables for people: whole where they fit, upright where they do not."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNROUNDED_CHARS = 10


def print_rows(console: Console, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print an answer; a row too wide for the terminal becomes one line for each value."""
    shown = [[_shown(value) for value in row] for row in rows]
    table = Table(box=None)
    for name in names:
        table.add_column(Text(name), no_wrap=True)
    for row in shown:
        table.add_row(*(Text(value) for value in row))
    if not shown or not console.is_terminal or _width(console, table) <= console.width:
        print_whole(console, table)
        return
    for row in shown:
        upright = Table(box=None, show_header=False)
        upright.add_column(style="cyan", no_wrap=True)
        upright.add_column(overflow="fold")
        for name, value in zip(names, row, strict=True):
            upright.add_row(Text(name), Text(value))
        console.print(upright)
        console.print()


def print_whole(console: Console, table: Table) -> None:
    """Print a table without folding a cell, however wide it is."""
    terminal_width = console.width
    console.width = max(terminal_width, _width(console, table))
    console.print(table, soft_wrap=True)
    console.width = terminal_width


def _width(console: Console, table: Table) -> int:
    unbounded = console.options.update(max_width=100_000)
    return Measurement.get(console, unbounded, table).maximum


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"
    if isinstance(value, float) and len(str(value)) > UNROUNDED_CHARS:
        return f"{value:.6g}"
    return str(value)
