"""Options that select dead letters, and the clock that "6h ago" is counted from."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from schemas.errors import RejectedError
from streams.deadletters.letters import TOPICS
from streams.deadletters.selection import read_moment

F = TypeVar("F", bound=Callable[..., Any])


def now_ms() -> int:
    """Give the clock as milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Moment(click.ParamType):
    """RFC 3339, a date, or how long ago; gives milliseconds since the epoch."""

    name = "MOMENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a moment."""
        try:
            return value if isinstance(value, int) else read_moment(value, now_ms())
        except RejectedError as fault:
            self.fail(str(fault), param, ctx)


OPTIONS = (
    click.option("--topic", type=click.Choice(TOPICS), help="Where it was refused."),
    click.option("--stage", help="How far it came: decode, size, envelope or decide."),
    click.option("--error", metavar="CLASS", help="E.g. MalformedError."),
    click.option(
        "--since",
        "since_ms",
        type=Moment(),
        help="Refused then or later: 2026-03-02T09:30:00Z, a date, or 15m, 6h, 2d ago.",
    ),
    click.option("--until", "until_ms", type=Moment(), help="Refused before then."),
)


def selects(command: F) -> F:
    """Give a command the options whose values :class:`Selection` takes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
