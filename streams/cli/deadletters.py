"""``riverdesk deadletters``: look at what was refused, and send it again once it is mended."""

from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.base import moment
from schemas.codec import encode
from schemas.errors import RejectedError
from streams.cli.redrive import redrive
from streams.cli.selecting import selects
from streams.cli.tables import print_rows
from streams.deadletters.letters import Letter, Place
from streams.deadletters.payload import printable, printable_json, show_payload, show_text
from streams.deadletters.selection import Selection
from streams.deadletters.tally import Tally, tally
from streams.settings import load

SHOWN_LETTERS = 50
MESSAGE_CHARS = 120


@click.group(short_help="Look at refused records, send them again.")
def deadletters() -> None:
    """Look at records that were refused, and send them again.

    Dead letters hold records as they came, with personal data: whoever may read their topics may
    read what the desk never writes down.
    """


deadletters.add_command(redrive)


@deadletters.command(name="list")
@selects
@click.option("--open", "open_only", is_flag=True, help="Only what was not sent again.")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many, the newest.")
@click.option("--summary", is_flag=True, help="Only how many of which kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; all of them.")
def list_(limit: int | None, summary: bool, as_json: bool, **selected: Any) -> None:
    """Show how many letters of which kind there are, and the newest 50.

    They are read from their topics, from the oldest kept (14 days) to the newest. A letter that
    was written twice is shown once. Payloads are not shown; see `show`.
    """
    from streams.deadletters.reader import letters, survey

    kafka, selection = load().kafka, Selection(**selected)
    surveyed = survey(kafka, selection.topics)
    found, notes = letters(kafka, surveyed, selection), surveyed.notes
    if as_json and limit is None:
        for letter in found:
            click.echo(_line(letter, notes.get(letter.place)))
        return
    made = tally(found, notes, 0 if summary else limit or SHOWN_LETTERS)
    if as_json:
        for letter in made.newest:
            click.echo(_line(letter, notes.get(letter.place)))
        return
    console = Console()
    console.print(f"{made.letter_count} dead letters", highlight=False)
    if surveyed.stranger_count:
        console.print(f"{surveyed.stranger_count} other records on their topics", highlight=False)
    _print_counts(console, made)
    if made.newest:
        console.print()
        names = ("refused", "position", "stage", "error", "bytes", "sent again as", "message")
        print_rows(console, names, [_row(each, notes.get(each.place)) for each in made.newest])


@deadletters.command()
@click.argument("position", metavar="TOPIC/PARTITION/OFFSET")
@click.option("--raw", is_flag=True, help="Write the original bytes to standard output, unmasked.")
def show(position: str, raw: bool) -> None:
    """Show one letter, by the position of the record that was refused.

    The payload is masked (card and phone numbers, mail addresses, secrets), and characters that
    could command a terminal are escaped. Patterns do not know people's names: it is personal data
    all the same. --raw writes the bytes as they came: guard them as you guard the topic.
    """
    from streams.deadletters.reader import letters, survey

    settings = load()
    place = Place.parse(position)
    selection = Selection(places={place})
    surveyed = survey(settings.kafka, selection.topics)
    letter = next(letters(settings.kafka, surveyed, selection), None)
    if letter is None:
        raise RejectedError(f"no dead letter of {place} is kept")
    if raw:
        if letter.value is None:
            click.echo("the record has no value", err=True)
        click.get_binary_stream("stdout").write(letter.value or b"")
        return
    table = Table(box=None, show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _facts(letter, surveyed.notes.get(place)):
        table.add_row(Text(show_text(name)), Text(show_text(text)))
    console = Console()
    console.print(table)
    console.print()
    key = settings.masking_key.get_secret_value().encode()
    console.print(Text(show_payload(letter.value, key)), soft_wrap=True)


def _print_counts(console: Console, made: Tally) -> None:
    names = ("topic", "stage", "error", "letters", "open", "first", "last")
    rows = [
        (
            kind.topic,
            printable(kind.stage),
            printable(kind.error),
            count.letter_count,
            count.open_count,
            moment(count.first_ms),
            moment(count.last_ms),
        )
        for kind, count in sorted(made.counts.items(), key=lambda each: -each[1].letter_count)
    ]
    if rows:
        print_rows(console, names, rows)


def _row(letter: Letter, note: Letter | None) -> tuple[object, ...]:
    message = show_text(letter.message).replace("\n", " ")
    if len(message) > MESSAGE_CHARS:
        message = f"{message[: MESSAGE_CHARS - 1]}…"
    return (
        moment(letter.failed_ms),
        str(letter.place),
        printable(letter.stage),
        printable(letter.error),
        letter.size_bytes,
        printable(note.redriven_to) if note else None,
        message,
    )


def _line(letter: Letter, note: Letter | None) -> str:
    content = {
        "position": str(letter.place),
        "topic": letter.place.topic,
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "failed_at": moment(letter.failed_ms),
        "stage": letter.stage,
        "error": letter.error,
        "message": show_text(letter.message),
        "bytes": letter.size_bytes,
        "redriven_at": note.redriven_at if note else None,
        "redriven_to": note.redriven_to if note else None,
    }
    return printable_json(encode(content))


def _facts(letter: Letter, note: Letter | None) -> Iterator[tuple[str, str]]:
    yield "position", str(letter.place)
    key = letter.key
    yield "key", "(none)" if key is None else key.decode(errors="backslashreplace")
    yield "bytes", str(letter.size_bytes)
    for name, content in letter.headers:
        yield name, content.decode(errors="backslashreplace")
    if note is not None:
        yield "sent again", f"{note.redriven_at} as {note.redriven_to}"
