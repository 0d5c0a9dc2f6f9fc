"""``riverdesk publish``: events from a file to the broker, bad lines named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.errors import MalformedError, RejectedError
from schemas.registry import INPUTS, Topic
from streams.settings import load
from streams.upstream.addressing import Address, address, raw_address
from streams.upstream.lines import MAX_LINE_BYTES, STANDARD_INPUT, Line, lines

BAD_LINES_SHOWN = 20
BY_NAME = {topic.name: topic for topic in INPUTS}

Send = Callable[[str, bytes, bytes], None]


@click.command(short_help="Publish the events of a file, bad lines named.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--topic", "topic_name", type=click.Choice(list(BY_NAME)), help="Instead of `type`.")
@click.option("--raw", is_flag=True, help="Send the bytes of each line as they are, unvalidated.")
@click.option("--dry-run", is_flag=True, help="Only validate.")
@click.option("--bootstrap", help="The broker, if not that of the settings.")
def publish(
    file: str, topic_name: str | None, raw: bool, dry_run: bool, bootstrap: str | None
) -> None:
    """Publish the events of FILE: JSON Lines, plain or .gz, or - for standard input.

    Each line is validated and goes to the topic of its `type`. Lines that cannot be used are
    reported with their numbers, the others are published; the exit status is 1 if any was bad.
    """
    if raw and topic_name is None:
        raise click.UsageError("--raw needs --topic")
    if raw and dry_run:
        raise click.UsageError("--raw validates nothing: there is nothing to try with --dry-run")
    topic = BY_NAME[topic_name] if topic_name else None
    work = _Work(Path(file), topic, raw)
    if dry_run:
        work.run(lambda _topic, _key, _value: None)
        work.report()
        click.echo(f"{work.good_count} events are valid")
    else:
        from streams.upstream.producer import Upstream

        kafka = load().kafka
        if bootstrap:
            kafka = kafka.model_copy(update={"bootstrap": bootstrap})
        with Upstream(kafka) as upstream:
            try:
                work.run(upstream.send)
            finally:
                work.report()
            upstream.flush()
            click.echo(f"{upstream.acknowledged_count} records published")
    if work.bad_count:
        raise click.exceptions.Exit(1)


class _Work:
    """Goes through a file once."""

    def __init__(self, path: Path, topic: Topic | None, raw: bool) -> None:
        self._path = path
        self._topic = topic
        self._raw = raw
        self.good_count = 0
        self.bad_count = 0
        self._bad: list[str] = []

    def run(self, send: Send) -> None:
        """Send every good line, remember the bad ones."""
        with _progress(self._path) as tell:
            for line in lines(self._path, lambda read_bytes: tell(self.good_count, read_bytes)):
                if not line.raw and not self._raw:
                    continue  # an empty line at the end harms nobody
                try:
                    to = self._address(line)
                except (MalformedError, RejectedError) as fault:
                    self._refuse(line.number, str(fault))
                    continue
                send(to.topic.name, to.key, line.raw)
                self.good_count += 1

    def report(self) -> None:
        """Name the bad lines, once."""
        for each in self._bad:
            click.echo(each, err=True)
        if self.bad_count > len(self._bad):
            click.echo(f"… and {self.bad_count - len(self._bad)} more", err=True)
        if self.bad_count:
            click.echo(f"{self.bad_count} bad lines were left out", err=True)

    def _address(self, line: Line) -> Address:
        if not line.whole:
            raise RejectedError(f"longer than {MAX_LINE_BYTES} bytes")
        if self._raw and self._topic is not None:
            return raw_address(line.raw, self._topic, line.number)
        return address(line.raw, self._topic)

    def _refuse(self, number: int, reason: str) -> None:
        self.bad_count += 1
        if len(self._bad) < BAD_LINES_SHOWN:
            self._bad.append(f"line {number}: {reason}")


@contextmanager
def _progress(path: Path) -> Iterator[Callable[[int, int], None]]:
    """Show progress on a terminal; gives what takes the counts of events and of bytes."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda good_count, read_bytes: None
        return
    total = None if path == STANDARD_INPUT else path.stat().st_size
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=total)

        def tell(good_count: int, read_bytes: int) -> None:
            if good_count % 100 == 0:
                progress.update(task, completed=read_bytes, description=f"{good_count} events")

        yield tell
