"""``riverdesk topics``: create and list the topics."""

import click
from rich.console import Console
from rich.table import Table

from schemas.registry import FOREVER, Topic
from streams.cli.tables import print_whole
from streams.settings import load

WIDE = 150
"""Columns of a terminal from which on there is room to say what each topic is for."""


@click.group()
def topics() -> None:
    """Create and list the topics."""


@topics.command()
def create() -> None:
    """Create the topics that are missing."""
    from streams.topics import create_topics

    settings = load()
    made = create_topics(settings.kafka, settings.topics)
    click.echo("\n".join(f"created {name}" for name in made) or "all topics are there")


@topics.command(name="list")
def list_() -> None:
    """Show every topic of the contract and whether the broker has it."""
    from streams.topics import list_topics

    console = Console()
    wide = console.width >= WIDE or not console.is_terminal
    table = Table(box=None)
    for heading in ("topic", "key", "partitions", "kept", "what")[: 5 if wide else 4]:
        table.add_column(heading, no_wrap=True)
    for state in list_topics(load().kafka):
        topic = state.topic
        count = str(state.partition_count) if state.partition_count else "[red]missing[/]"
        cells = (topic.name, topic.key or "-", count, _kept(topic), topic.summary)
        table.add_row(*cells[: len(table.columns)])
    print_whole(console, table)


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "newest per key"
    if topic.retention_ms == FOREVER:
        return "for ever"
    return f"{topic.retention_ms // 86_400_000} days"
