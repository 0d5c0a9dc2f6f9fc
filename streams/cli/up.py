"""``riverdesk up``: the embedded stack and all roles, until Ctrl-C."""

import signal
import threading
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from streams.settings import load

QUESTION = "SELECT ticket_id, previous, priority, score, cause FROM priority_changes LIMIT 9"


@click.command(short_help="Run broker, ClickHouse and all roles until Ctrl-C.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("state/up"),
    show_default=True,
    help="Where everything is kept.",
)
@click.option("--desks", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option(
    "--clock",
    type=click.Choice(["wall", "events"]),
    default="wall",
    show_default=True,
    help="What moves time: the wall clock, or only events (to replay old data).",
)
def up(directory: Path, desks: int, clock: Literal["wall", "events"]) -> None:
    """Run the embedded broker and ClickHouse and all roles until Ctrl-C."""
    from streams.stack.stack import Stack, on_this_machine

    console = Console()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    settings = on_this_machine(load(), clock=clock)
    with Stack(
        settings, directory.resolve(), desks=desks, tell=lambda line: console.print(f"  · {line}")
    ) as stack:
        kafka, house = stack.settings.kafka, stack.settings.warehouse
        console.print("Riverdesk is up. In another terminal:", style="bold")
        console.print(f"  export RIVERDESK_KAFKA__BOOTSTRAP={kafka.bootstrap}", soft_wrap=True)
        console.print(f"  export RIVERDESK_WAREHOUSE__PORT={house.port}", soft_wrap=True)
        console.print("  riverdesk simulate --events 1000", soft_wrap=True)
        console.print(f'  riverdesk sql "{QUESTION}"', soft_wrap=True)
        console.print("What each role says of itself:")
        for each in stack.roles:
            port = getattr(each.settings, each.role).web_port
            console.print(f"  {each.role:<9} http://127.0.0.1:{port}/status", soft_wrap=True)
        console.print("Ctrl-C stops everything.")
        while not ended.wait(1.0):
            stack.tend()
        console.print("Stopping")
