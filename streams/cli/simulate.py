"""``riverdesk simulate``: the simulator's schedule to a broker, or to a file."""

import gzip
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from streams.settings import load
from streams.simulator.company import company
from streams.simulator.files import files
from streams.simulator.pacing import Progress as Told
from streams.simulator.pacing import Send
from streams.simulator.pacing import publish as pace
from streams.simulator.schedule import Scheduled

DAY_MS = 86_400_000
COMPANY_DAYS = 12
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Publish a simulated company, or real files.")
@click.option("--events", type=click.IntRange(min=1), help="Of the company.  [default: 24000]")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events a second.")
@click.option("--tickets", type=FILE, help="JSON Lines of texts with labels, as in `demo`.")
@click.option("--transactions", type=FILE, help="JSON Lines of transactions, as in `demo`.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day of the files.")
@click.option("--days", type=click.IntRange(1, 366), help="Days of the files.  [default: 1]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write JSON Lines to this file (.gz compresses) instead of publishing.",
)
def simulate(
    events: int | None,
    seed: int,
    rate: float | None,
    tickets: Path | None,
    transactions: Path | None,
    start: datetime | None,
    days: int | None,
    out: Path | None,
) -> None:
    """Publish a simulated payment company, or real files, to the broker of the settings.

    The company's twelve days end today. Nothing waits for the desk here: where the learning must
    not depend on the machine's speed, use `demo`, or a --rate that the desk keeps up with.
    """
    if (tickets or transactions) and start is None:
        raise click.UsageError("--tickets and --transactions need --from YYYY-MM-DD")
    if start is None and days is not None:
        raise click.UsageError("--days needs --from YYYY-MM-DD and files")
    if start is not None and not (tickets or transactions):
        raise click.UsageError("--from needs --tickets or --transactions")
    if start is not None and events is not None:
        raise click.UsageError("--events is for the simulated company, not for files")
    schedule: Iterator[Scheduled]
    total: int | None = None
    if start is not None:
        schedule = files(tickets, transactions, start.date(), days or 1, seed)
    else:
        total = events or 24_000
        begins_ms = start_of_company(seed, total, time.time_ns() // 1_000_000)
        schedule = company(seed, total, begins_ms, COMPANY_DAYS)
    with _progress(total) as told:
        if out is not None:
            count = _write(schedule, out, rate, told)
            click.echo(f"{count} events written to {out}")
        else:
            count = _publish(schedule, rate, told)
            click.echo(f"{count} events published")


def start_of_company(seed: int, events: int, now_ms: int) -> int:
    """Give the midnight (UTC) at which the company begins so that it ends within the last day.

    Args:
        seed: As of the company; how long it lasts depends on it a little.
        events: As of the company.
        now_ms: No event may be later.

    Returns:
        Milliseconds since the epoch.
    """
    start_ms = (now_ms // DAY_MS - COMPANY_DAYS) * DAY_MS
    while _end_of_company(seed, events, start_ms) > now_ms:
        start_ms -= DAY_MS
    return start_ms


def _end_of_company(seed: int, events: int, start_ms: int) -> int:
    return max(event.at_ms for event in company(seed, events, start_ms, COMPANY_DAYS))


def _publish(schedule: Iterator[Scheduled], rate: float | None, told: Told) -> int:
    from streams.demo.feed import Feed

    feed = Feed(load().kafka)
    count = _run(schedule, feed.send, rate, told)
    feed.flush()
    return count


def _write(schedule: Iterator[Scheduled], out: Path, rate: float | None, told: Told) -> int:
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(out.open("wb"))
        if out.suffix == ".gz":
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
            file = cast(BinaryIO, stack.enter_context(packed))
        return _run(schedule, lambda _topic, _key, value: _line(file, value), rate, told)


def _line(file: BinaryIO, value: bytes) -> None:
    file.write(value + b"\n")


def _run(schedule: Iterator[Scheduled], send: Send, rate: float | None, told: Told) -> int:
    return pace(schedule, send, per_s=rate, barrier_every_ms=None, on_progress=told)


@contextmanager
def _progress(total: int | None) -> Iterator[Told]:
    """Show progress on a terminal; gives what takes the count and the event time."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda count, at_ms: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("events", total=total)

        def tell(count: int, at_ms: int) -> None:
            day = time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))
            progress.update(task, completed=count, description=day)

        yield tell
