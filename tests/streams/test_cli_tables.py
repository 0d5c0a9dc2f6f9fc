"""Answers are readable in a narrow terminal and whole in a pipe."""

import io
from datetime import UTC, datetime

from rich.console import Console

from streams.cli.tables import print_rows

NAMES = ["ticket_id", "text", "at", "score", "nothing"]
ROW = ["t-1", "x" * 90, datetime(2026, 3, 2, 10, 0, 0, 5_000, UTC), 0.123456789012, None]


def printed(width: int, *, terminal: bool, names: list[str], rows: list[list[object]]) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None)
    print_rows(console, names, rows)
    assert console.width == width
    return out.getvalue()


def test_narrow_terminal_gets_one_line_for_each_value() -> None:
    lines = printed(120, terminal=True, names=NAMES, rows=[ROW, ROW]).splitlines()
    values = [line.split() for line in lines if line.strip()]
    once = [
        ["ticket_id", "t-1"],
        ["text", "x" * 90],
        ["at", "2026-03-02", "10:00:00.005"],
        ["score", "0.123457"],
        ["nothing", "-"],
    ]
    assert values == once + once


def test_pipe_gets_one_line_for_each_row_however_wide() -> None:
    lines = printed(40, terminal=False, names=NAMES, rows=[ROW]).splitlines()
    assert lines[0].split() == NAMES
    assert lines[1].split() == ["t-1", "x" * 90, "2026-03-02", "10:00:00.005", "0.123457", "-"]
    assert len(lines) == 2


def test_answer_that_fits_is_a_table() -> None:
    text = printed(80, terminal=True, names=["a", "b"], rows=[[1, "[red]x"], [2, "y"]])
    assert [line.split() for line in text.splitlines()] == [["a", "b"], ["1", "[red]x"], ["2", "y"]]


def test_answer_without_rows_names_the_columns() -> None:
    text = printed(10, terminal=True, names=NAMES, rows=[])
    assert text.split() == NAMES
