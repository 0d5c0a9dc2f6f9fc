"""``riverdesk evaluate``: how good the learners are on a file, beside others in the same run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.codec import encode_pretty

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
JOBS = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes; several at once disturb the timings.",
)
JSON = click.option("--json", "json_path", type=OUT, help="Write all figures to this file.")


@click.group(short_help="Measure the learners on a file.")
def evaluate() -> None:
    """Measure the learners on a file: each row is decided about before its label is learned.

    Files are JSON Lines, plain or .gz. The code that decides and learns is the desk's own.
    """


@evaluate.command(short_help="Texts with their classes.")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--shuffles", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--label-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Of the tickets, this share is labelled.",
)
@click.option(
    "--label-delay",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="A label comes after so many further tickets.",
)
@click.option("--ask", type=click.Choice(["random", "margin"]), default="random", show_default=True)
@click.option(
    "--arrival",
    type=click.Choice(["shuffled", "by-class"]),
    default="shuffled",
    show_default=True,
    help="by-class: all of a class, then all of the next.",
)
@click.option(
    "--baselines",
    type=click.Choice(["none", "standard", "full"]),
    default="standard",
    show_default=True,
    help="standard: slow ones on the first shuffle only, or not at all.",
)
@click.option("--ceiling", is_flag=True, help="Fit scikit-learn's batch learner too (minutes).")
@JOBS
@JSON
def tickets(
    path: Path,
    shuffles: int,
    label_share: float,
    label_delay: int,
    ask: Literal["random", "margin"],
    arrival: Literal["shuffled", "by-class"],
    baselines: Literal["none", "standard", "full"],
    ceiling: bool,
    jobs: int,
    json_path: Path | None,
) -> None:
    """Stream the texts of FILE, each guessed before its label is learned.

    FILE has `id, text, label` and perhaps `split` (train or test). Rows of the test part are
    guessed after the stream; without one, the last fifth of the stream is judged.
    """
    from models.evaluation.tickets import TicketProtocol
    from streams.evaluation.summary import ticket_summary
    from streams.evaluation.tickets import evaluate_tickets

    protocol = TicketProtocol(label_share, label_delay, ask, arrival)
    with _progress() as told:
        report = evaluate_tickets(path, shuffles, protocol, baselines, ceiling, jobs, told)
    _give(report, ticket_summary, json_path)


@evaluate.command(short_help="Payments, some of them fraud.")
@click.argument("path", metavar="FILE", type=FILE)
@click.option(
    "--protocol",
    type=click.Choice(["book"]),
    default="book",
    show_default=True,
    help="The fraud-detection handbook's; other dates: the last 7 days.",
)
@click.option(
    "--label-delay-days", type=click.IntRange(0, 90), default=7, show_default=True,
    help="Frauds are known so many days later.",
)  # fmt: skip
@click.option(
    "--drift",
    type=click.Choice(["none", "inject"]),
    default="none",
    show_default=True,
    help="inject: stolen cards go cheap, then amounts grow; a frozen learner runs beside.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--baselines/--no-baselines", default=True, help="With the first seed.")
@click.option("--ceiling", is_flag=True, help="Fit scikit-learn's boosted trees too.")
@click.option("--whole/--to-test", default=True, help="Go on to the end of the file, or not.")
@JOBS
@JSON
def transactions(
    path: Path,
    protocol: str,
    label_delay_days: int,
    drift: str,
    seeds: int,
    baselines: bool,
    ceiling: bool,
    whole: bool,
    jobs: int,
    json_path: Path | None,
) -> None:
    """Stream the transactions of FILE, each scored before its label is known.

    FILE has `id, ts, customer_id, terminal_id, amount, is_fraud` and perhaps `scenario`, about in
    order of `ts`.
    """
    from streams.evaluation.summary import transaction_summary
    from streams.evaluation.transactions import evaluate_transactions

    with _progress() as told:
        report = evaluate_transactions(
            path, label_delay_days, drift == "inject", seeds, baselines, ceiling, whole, jobs, told
        )
    _give(report, transaction_summary, json_path)


def _give(
    report: dict[str, Any],
    summary: Callable[[dict[str, Any]], list[Any]],
    json_path: Path | None,
) -> None:
    console = Console()
    for table in summary(report):
        console.print(table)
        console.print()
    if json_path is not None:
        json_path.write_bytes(encode_pretty(report))


class _Lines:
    """Says how far it is in a line for every tenth of the way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = -1

    def __call__(self, doing: str, done: int, total: int) -> None:
        """Take what is being done and how far it is."""
        tenth = 10 * done // total
        if tenth != self._said:
            self._said = tenth
            self._console.print(f"{doing}: {tenth * 10} %", highlight=False, soft_wrap=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress, elsewhere than on a terminal by the tenth of the rows; gives what is told."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total)

        yield tell
