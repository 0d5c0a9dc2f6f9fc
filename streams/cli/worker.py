"""``riverdesk worker``: one role in the foreground."""

import click

from streams.settings import load


@click.command()
@click.argument("role", type=click.Choice(["desk", "publisher", "archiver"]))
@click.option("--name", help="Name of this worker, unique per role and stable over restarts.")
def worker(role: str, name: str | None) -> None:
    """Run one role until a signal ends it."""
    from streams.process import run

    settings = load()
    run(role, settings.model_copy(update={"worker": name}) if name else settings)
