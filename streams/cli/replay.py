"""``riverdesk replay``: make decisions again and compare the bytes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from schemas.codec import encode_pretty
from streams.settings import KafkaSettings, load

if TYPE_CHECKING:
    from streams.replay.again import Replayed
    from streams.replay.outcome import Outcome

SHOWN_FIELDS = 8
SHOWN_CHARS = 300


class Moment(click.ParamType):
    """ISO 8601, in UTC where it says nothing else; becomes milliseconds since the epoch."""

    name = "MOMENT"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> int:
        """Read the moment."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no moment, e.g. 2026-03-02T09:30:00Z", param, context)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)


@click.command(short_help="Make decisions again and compare the bytes.")
@click.option("--decision", metavar="PARTITION/NUMBER", help="This one, e.g. 3/1207.")
@click.option("--sample", type=click.IntRange(min=1), help="So many, spread over the whole log.")
@click.option("--from", "from_ms", type=Moment(), help="Only what was decided at or after.")
@click.option("--to", "to_ms", type=Moment(), help="Only what was decided before.")
@click.option("--seed", type=int, default=1, show_default=True, help="Draws the sample.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures and the first differences to this file.",
)
def replay(
    decision: str | None,
    sample: int | None,
    from_ms: int | None,
    to_ms: int | None,
    seed: int,
    json_path: Path | None,
) -> None:
    """Rebuild learners, state and policy from the logs, decide again, compare byte by byte.

    Without options every decision of the journal is made again. Exit status 1 if any differs.
    """
    from streams.topics import journal_partitions

    if decision and (sample or from_ms is not None or to_ms is not None):
        raise click.UsageError("--decision takes neither --sample nor --from and --to")
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise click.UsageError("--from must be before --to")
    kafka = load().kafka
    partition_count = journal_partitions(kafka)
    console = Console()
    report = (
        _one(console, kafka, partition_count, decision)
        if decision
        else _many(console, kafka, partition_count, sample, from_ms, to_ms, seed)
    )
    if json_path is not None:
        json_path.write_bytes(encode_pretty(report))
    if report["differing"]:
        raise click.exceptions.Exit(1)


def _one(
    console: Console, kafka: KafkaSettings, partition_count: int, decision: str
) -> dict[str, Any]:
    from streams.replay.outcome import describe
    from streams.replay.replay import replay_one

    with console.status("folding the journal and the lessons"):
        again = replay_one(kafka, partition_count, decision)
    if again.equal:
        console.print(f"{decision} ({again.kind}): the same bytes")
    else:
        _show(console, again)
    return {
        "checked": 1,
        "equal": int(again.equal),
        "differing": int(not again.equal),
        "decisions_per_s": round(1 / again.took_s, 1),
        "differences": [] if again.equal else [describe(again)],
    }


def _many(
    console: Console,
    kafka: KafkaSettings,
    partition_count: int,
    sample: int | None,
    from_ms: int | None,
    to_ms: int | None,
    seed: int,
) -> dict[str, Any]:
    from streams.replay.choice import Window
    from streams.replay.replay import replay_many

    window = Window(from_ms, to_ms)
    with _progress() as told:
        outcome = replay_many(
            kafka, partition_count, sample=sample, window=window, seed=seed, tell=told
        )
    for each in outcome.differences:
        _show(console, each)
    _sum_up(console, outcome)
    return outcome.report()


def _show(console: Console, again: "Replayed") -> None:
    """Print the fields that differ."""
    console.print(Text.assemble((again.decision, "bold red"), f" ({again.kind}) differs"))
    fields = list(again.differing().items())
    for path, (recorded, now) in fields[:SHOWN_FIELDS]:
        console.print(Text(f"  {path}", style="bold"))
        console.print(Text(f"    recorded {_short(recorded)}\n    again    {_short(now)}"))
    if len(fields) > SHOWN_FIELDS:
        console.print(Text(f"  and {len(fields) - SHOWN_FIELDS} more fields", style="dim"))


def _sum_up(console: Console, outcome: "Outcome") -> None:
    if not outcome.checked:
        console.print("no decision to make again: nothing was checked")
    elif outcome.differing:
        counts = f"{outcome.checked:,} decisions made again: {outcome.differing:,} differ"
        console.print(Text(counts, style="bold red"))
    else:
        counts = f"{outcome.checked:,} decisions made again: all the same bytes"
        console.print(Text(counts, style="bold green"))
    console.print(
        f"{outcome.folded_records:,} records and {outcome.folded_lessons:,} lessons folded "
        f"in {outcome.took_s:.1f} s; deciding alone took {outcome.deciding_s:.1f} s"
    )
    left = [f"{count:,} {kind}" for kind, count in outcome.not_replayable.items()]
    if outcome.other_version:
        left.append(f"{outcome.other_version:,} of another core version")
    if left:
        console.print(Text(f"not to be made again: {', '.join(left)}", style="dim"))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]} …"


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on a terminal; gives what takes what is being done and how far it is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda doing, done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total)

        yield tell
