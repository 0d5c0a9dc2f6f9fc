"""What each part of a bench is known by: ratios with their floor beside, then main figures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[str, str, str]
"""Words, median with its range, what is beside it."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure that a part is known by.

    Args:
        path: To the figure, dotted; a number names an entry of a list. The figure is a number,
            with its spread under ``spread`` or ``NAME_spread`` beside it, or a spread.
        words: What it is; may name fields of the mapping that it is in.
        beside_path: To the figure that is told beside it.
        beside: How that is told: its words, with ``{}`` for the figure.
        digits: After the point.
        beside_digits: The same of the figure beside it.
    """

    path: str
    words: str
    beside_path: str = ""
    beside: str = "{}"
    digits: int = 2
    beside_digits: int = 0

    def row(self, report: Mapping[str, Any]) -> Row | None:
        """Give its row, or ``None`` if it was not measured."""
        *way, name = self.path.split(".")
        part = at(report, way)
        if not isinstance(part, Mapping) or name not in part:
            return None
        floor = at(report, self.beside_path.split(".")) if self.beside_path else None
        beside = (
            ""
            if floor is None
            else self.beside.format(told({"floor": floor}, "floor", self.beside_digits))
        )
        words = self.words.format_map({key: _short(value) for key, value in part.items()})
        return words, told(part, name, self.digits), beside


RATIOS = (
    Headline("desk.ratio_to_core", "real desk / pure core", "desk.core_us", "core {} µs"),
    Headline(
        "scale.ratio", "two desks / one", "scale.machine_ratio", "machine {}", beside_digits=2
    ),
    *(
        Headline(
            f"state.ratio_{size}_to_1k", words, "state.by_customers.0.cpu_us.median", "1k: {} µs"
        )
        for size, words in (("100k", "100k customers / 1k"), ("1m", "1M customers / 1k"))
    ),
    Headline(
        "rules.by_signals.-1.ratio",
        "{signals} signals / first policy",
        "rules.by_signals.0.cpu_us.median",
        "first: {} µs",
    ),
    Headline(
        "classes.by_classes.-1.ticket_ratio",
        "a ticket, {classes} classes / 10",
        "classes.by_classes.0.ticket_us.median",
        "10: {} µs",
    ),
    Headline(
        "classes.by_classes.-1.learn_ratio",
        "a label learned, the same",
        "classes.by_classes.0.learn_us.median",
        "10: {} µs",
    ),
)
"""Each with what it is over."""

FIGURES = (
    Headline("lessons.us", "a lesson, µs", "lessons.per_s", "{} a second", 0),
    Headline("starting.empty.first_decision_s", "first decision, empty, s"),
    Headline("starting.filled.first_decision_s", "with its state, s"),
    Headline("starting.lost.first_decision_s", "with its state lost, s"),
    Headline("starting.joined_s", "a second desk joins, s"),
    Headline("starting.sigterm.taken_over_s", "taken over after SIGTERM, s"),
    Headline(
        "starting.sigkill.taken_over_s",
        "taken over after SIGKILL, s",
        "starting.session_timeout_s",
        "session {} s",
    ),
    Headline("archiver.rows_per_s", "archiver, rows/s", "archiver.records", "{} records", digits=0),
    Headline("archiver.cpu_us_per_row", "its CPU a row, µs"),
    Headline("archiver.warehouse_cpu_us_per_row", "ClickHouse's CPU a row, µs"),
    Headline("archiver.hour_away_s", "an hour away caught up, s", digits=0),
    Headline(
        "publisher.records_per_s",
        "publisher, records/s",
        "publisher.records",
        "{} records",
        digits=0,
    ),
    Headline("publisher.cpu_us_per_record", "its CPU a record, µs"),
    Headline("publisher.hour_away_s", "an hour away caught up, s", digits=0),
    Headline(
        "soak.cpu_over_fixed_job.percent_per_h",
        "soak: CPU over fixed job, % an hour",
        "soak.minutes",
        "{} min",
    ),
    Headline("soak.rss_mb.percent_per_h", "soak: memory, % an hour", "soak.rss_mb.level", "{} MB"),
)

PARTS = frozenset(headline.path.split(".")[0] for headline in (*RATIOS, *FIGURES))
"""Parts that are told here."""


def rows(headlines: Iterable[Headline], report: Mapping[str, Any]) -> Iterator[Row]:
    """Give the rows of what was measured."""
    for headline in headlines:
        if (row := headline.row(report)) is not None:
            yield row


def at(report: Any, way: Sequence[str]) -> Any:
    """Give what lies there, or ``None``.

    >>> at({"a": [{"b": 1}, {"b": 2}]}, ["a", "-1", "b"])
    2
    """
    found = report
    for name in way:
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and found:
            found = found[int(name)]
        else:
            return None
    return found


def told(part: Mapping[str, Any], name: str, digits: int = 2) -> str:
    """Give a figure of a part, with its range where that is known.

    >>> told({"a_us": 2.0, "spread": {"a_us": {"min": 1.0, "max": 3.5}}}, "a_us", 1)
    '2.0 (1.0–3.5)'
    """
    figure = part[name]
    spread = part.get("spread", {}).get(name) or part.get(f"{name}_spread")
    if isinstance(figure, Mapping):
        figure, spread = figure["median"], figure
    median = f"{figure:,.{digits}f}"
    if spread is None:
        return median
    return f"{median} ({spread['min']:,.{digits}f}–{spread['max']:,.{digits}f})"


def _short(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
