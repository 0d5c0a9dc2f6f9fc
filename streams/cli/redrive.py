"""``riverdesk deadletters redrive``: refused records to their topic again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from schemas.errors import RejectedError
from streams.cli.selecting import now_ms, selects
from streams.cli.tables import print_rows
from streams.deadletters.letters import Letter, Place
from streams.deadletters.payload import printable, show_text
from streams.deadletters.selection import Selection
from streams.settings import Settings, load

if TYPE_CHECKING:
    from streams.deadletters.plan import Plan
    from streams.deadletters.reader import Survey


@click.command(short_help="Send refused records to their topic again.")
@click.argument("positions", nargs=-1, metavar="[POSITION]...")
@selects
@click.option("--dry-run", is_flag=True, help="Only tell what would be sent.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Send also what would be refused again.")
@click.option(
    "--key-from-payload", is_flag=True, help="Key the copies by the customer_id in the payload."
)
def redrive(
    positions: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    force: bool,
    key_from_payload: bool,
    **selected: Any,
) -> None:
    """Send letters to their topic again: those at POSITIONs, or all that the options select.

    The original bytes go to the partition that murmur2 of the key gives, with a header that names
    where they stood. Only what would be admitted now is sent, and nothing that was sent
    before. The exit status is 1 if letters were left out because they would be refused again.
    """
    from streams.deadletters.reader import survey
    from streams.deadletters.redrive import Redriver
    from streams.topics import journal_partitions

    settings = load()
    places = {Place.parse(each) for each in positions} or None
    selection = Selection(places=places, open_only=True, **selected)
    work = _Work(settings, selection, journal_partitions(settings.kafka), force, key_from_payload)
    redriver = None if dry_run else Redriver(settings.kafka)  # before what was sent is asked
    surveyed = survey(settings.kafka, selection.topics)
    if places is not None:
        work.require(places, surveyed)
    if redriver is None or not yes:
        plan = work.plan()
        for _ in plan.to_send(work.letters(surveyed)):
            pass
        _report(plan)
    if redriver is not None:
        if not yes and plan.to_send_count:
            click.confirm(f"Send {plan.to_send_count} records again?", abort=True, err=True)
        plan = work.plan()
        for letter, verdict in plan.to_send(work.letters(surveyed)):
            redriver.send(letter, verdict, now_ms())
        redriver.flush(now_ms())
        if yes:
            _report(plan)
        click.echo(f"{redriver.sent_count} records sent again, acknowledged and noted")
    if plan.oversize_count or (plan.refused_count and not force):
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class _Work:
    """What was asked for."""

    settings: Settings
    selection: Selection
    partition_count: int
    force: bool
    key_from_payload: bool

    def plan(self) -> "Plan":
        from streams.deadletters.plan import Plan
        from streams.deadletters.trial import Trial

        key = self.settings.masking_key.get_secret_value().encode()
        trial = Trial(self.partition_count, key, self.key_from_payload)
        return Plan(trial, now_ms(), self.force)

    def letters(self, surveyed: "Survey", selection: Selection | None = None) -> Iterator[Letter]:
        from streams.deadletters.reader import letters

        return letters(self.settings.kafka, surveyed, selection or self.selection)

    def require(self, places: set[Place], surveyed: "Survey") -> None:
        """Refuse to begin where a position has no letter; name those that were sent before."""
        named = Selection(places=places)
        there = {each.place for each in self.letters(surveyed, named)}
        if missing := sorted(places - there):
            raise RejectedError(f"no dead letter is kept of {', '.join(map(str, missing))}")
        for place in sorted(places):
            note = surveyed.notes.get(place)
            if note is not None:
                click.echo(
                    f"{place} was sent again at {printable(note.redriven_at)} "
                    f"as {printable(note.redriven_to)}"
                )


def _report(plan: "Plan") -> None:
    click.echo(f"{plan.to_send_count} records can be sent again")
    if plan.oversize_count:
        click.echo(f"{plan.oversize_count} are too large for their topic with a copy's headers")
    if not plan.refused_count:
        return
    left = "are sent all the same" if plan.force else "stay; --force sends them"
    click.echo(f"{plan.refused_count} would be refused again and {left}:")
    rows = [
        (kind.topic, kind.stage, kind.error, each.count, each.example, show_text(each.message))
        for kind, each in plan.refused.items()
    ]
    names = ("topic", "stage", "error", "letters", "such as", "because")
    print_rows(Console(), names, rows)
