"""``riverdesk migrate`` and ``riverdesk sql``: the warehouse."""

import click
from rich.console import Console

from streams.cli.tables import print_rows
from streams.settings import load


@click.command()
def migrate() -> None:
    """Create the database and apply the migrations that are pending."""
    from sinks.migrate import migrate as apply
    from streams.warehouse import open_warehouse

    warehouse = open_warehouse(load().warehouse)
    try:
        warehouse.create_database()
        applied = apply(warehouse)
    finally:
        warehouse.close()
    click.echo("\n".join(f"applied {name}" for name in applied) or "nothing is pending")


@click.command(short_help="Ask the warehouse one query.")
@click.argument("query")
@click.option("--host", help="Host of the ClickHouse server, if not that of the settings.")
@click.option("--port", type=int, help="Its native port, if not that of the settings.")
def sql(query: str, host: str | None, port: int | None) -> None:
    """Ask the warehouse one QUERY and show the answer.

    A table where the terminal is wide enough, otherwise one line for each value.
    """
    from streams.warehouse import open_warehouse

    config = load().warehouse
    changes = {name: value for name, value in (("host", host), ("port", port)) if value}
    warehouse = open_warehouse(config.model_copy(update=changes))
    try:
        names, rows = warehouse.table(query)
    finally:
        warehouse.close()
    print_rows(Console(), names, rows)
