"""``riverdesk settings``: every setting, its value and where it comes from."""

import os

import click
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.settings import load


@click.command(short_help="Show every setting and where it comes from.")
def settings() -> None:
    """Show all settings with their environment variables; secrets stay hidden."""
    table = Table(box=None)
    for heading in ("variable", "value", "from"):
        table.add_column(heading, overflow="fold")

    def visit(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                visit(f"{prefix}__{name.upper()}", inner)
            return
        shown = "********" if isinstance(value, SecretStr) else "" if value is None else str(value)
        table.add_row(prefix, Text(shown), "environment" if prefix in os.environ else "default")

    for name, value in load().model_dump().items():
        visit(f"RIVERDESK_{name.upper()}", value)
    Console().print(table)
