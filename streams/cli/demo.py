"""``riverdesk demo``: the main job, whole, on the embedded stack."""

import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from schemas.codec import encode_pretty
from streams.settings import load

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Stream a company or files through all of it, count.")
@click.option("--events", type=click.IntRange(min=100), default=24_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--tickets", type=FILE, help="JSON Lines of texts with labels (Banking77's form).")
@click.option("--transactions", type=FILE, help="JSON Lines of transactions (handbook's form).")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day of the files.")
@click.option("--days", type=click.IntRange(1, 366), default=1, show_default=True)
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Keep the directory with logs, state and data.")
def demo(
    events: int,
    seed: int,
    tickets: Path | None,
    transactions: Path | None,
    start: datetime | None,
    days: int,
    json_path: Path | None,
    keep: bool,
) -> None:
    """Stream a payment company (or real files) through Riverdesk and count everything.

    Starts a broker, ClickHouse and the three roles on loopback, ends them again and leaves
    nothing behind. Nothing else needs to be installed or running.
    """
    from streams.demo.demo import Plan, run
    from streams.demo.screen import Screen
    from streams.stack.stack import Stack, on_this_machine

    if (tickets or transactions) and start is None:
        raise click.UsageError("--tickets and --transactions need --from YYYY-MM-DD")
    if start is not None and not (tickets or transactions):
        raise click.UsageError("--from needs --tickets or --transactions")
    plan = Plan(
        None if start else events,
        seed,
        tickets,
        transactions,
        start.date() if start else None,
        days,
    )
    screen = Screen(Console())
    settings = on_this_machine(load(), clock="events")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C: nothing is left
    directory = Path(tempfile.mkdtemp(prefix="riverdesk-"))
    try:
        screen.phase("Starting Riverdesk")
        with Stack(settings, directory, tell=screen.step) as stack:
            screen.phase("Streaming; each line is a day of events")
            screen.explain(
                "  right: of the last 200 tickets, each decided before its label was known\n"
                "  AP: average precision of the fraud score on all transactions so far"
            )
            try:
                report = run(plan, stack, screen)
            finally:
                screen.finish()
        screen.report(report)
        if json_path is not None:
            json_path.write_bytes(encode_pretty(report))
    finally:
        if keep:
            screen.phase(f"Kept: {directory}")
        else:
            import shutil

            shutil.rmtree(directory, ignore_errors=True)
    if report["lost"] or report["duplicated"]:
        raise click.exceptions.Exit(1)
