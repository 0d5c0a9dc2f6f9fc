"""The command line: ``riverdesk COMMAND``. Commands import what they need when they run."""

import logging
import sys
from importlib import import_module

import click
from rich.console import Console

from schemas.errors import RiverdeskError, UnavailableError

COMMANDS = {
    "demo": "streams.cli.demo",
    "up": "streams.cli.up",
    "worker": "streams.cli.worker",
    "topics": "streams.cli.topics",
    "migrate": "streams.cli.warehouse",
    "sql": "streams.cli.warehouse",
    "simulate": "streams.cli.simulate",
    "publish": "streams.cli.publish",
    "replay": "streams.cli.replay",
    "evaluate": "streams.cli.evaluate",
    "chaos": "streams.cli.chaos",
    "bench": "streams.cli.bench",
    "deadletters": "streams.cli.deadletters",
    "settings": "streams.cli.settings",
}
"""Each command and the module that has it, under the command's own name."""

FAILED, AWAY = 1, 75  # sysexits.h: EX_TEMPFAIL


class Commands(click.Group):
    """Finds a command in its module; a user's mistake is one line, never a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Name the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Give a command."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name]), name)
        return command

    def invoke(self, context: click.Context) -> object:
        """Run the command and turn Riverdesk's errors into one line."""
        for library in ("clickhouse_driver", "kafka"):  # their faults come as exceptions
            logging.getLogger(library).setLevel(logging.CRITICAL)
        try:
            return super().invoke(context)
        except RiverdeskError as fault:
            console = Console(stderr=True)
            console.print(f"[bold red]riverdesk:[/] {fault}", soft_wrap=True, highlight=False)
            context.exit(AWAY if isinstance(fault, UnavailableError) else FAILED)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="riverdesk")
def main() -> None:
    """Streaming triage of support tickets and payment transactions.

    Settings come from RIVERDESK_* environment variables; `riverdesk settings` lists them.
    """


if __name__ == "__main__":
    sys.exit(main())
