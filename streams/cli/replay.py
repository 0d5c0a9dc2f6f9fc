"""``riverdesk replay``: make a decision again and compare the bytes."""

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from schemas.codec import encode_pretty
from streams.settings import load


@click.command(short_help="Make a decision again and compare the bytes.")
@click.option(
    "--decision", required=True, metavar="PARTITION/NUMBER", help="Which one, e.g. 3/1207."
)
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path))
def replay(decision: str, json_path: Path | None) -> None:
    """Rebuild learners, state and policy from the logs, decide again, compare byte by byte."""
    from streams.replay import replay as again
    from streams.topics import journal_partitions

    settings = load()
    console = Console()
    with console.status("folding the journal and the lessons"):
        result = again(settings.kafka, journal_partitions(settings.kafka), decision)
    if result.equal:
        console.print(f"{decision} ({result.kind}): the same bytes")
    for name, (recorded, now) in result.differing().items():
        console.print(Text.assemble((name, "bold"), f"\n  recorded {recorded}\n  now      {now}"))
    if json_path is not None:
        report = {
            "checked": 1,
            "equal": int(result.equal),
            "differing": int(not result.equal),
            "decisions_per_s": round(1 / result.took_s, 1) if result.took_s else None,
        }
        json_path.write_bytes(encode_pretty(report))
    if not result.equal:
        raise click.exceptions.Exit(1)
