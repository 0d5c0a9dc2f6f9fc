"""``riverdesk topics``: create and list the topics."""

import click
from rich.console import Console
from rich.table import Table

from schemas.registry import FOREVER, Topic
from streams.settings import load


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

    table = Table(box=None)
    for heading in ("topic", "key", "partitions", "kept", "what"):
        table.add_column(heading, overflow="fold")
    for state in list_topics(load().kafka):
        topic = state.topic
        count = str(state.partition_count) if state.partition_count else "[red]missing[/]"
        table.add_row(topic.name, topic.key or "-", count, _kept(topic), topic.summary)
    Console().print(table)


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "newest per key"
    return "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // 86_400_000} d"
