"""``riverdesk bench``: what deciding costs, against its own functions and against other engines."""

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from schemas.codec import encode_pretty
from streams.settings import KafkaSettings, Settings, TopicSettings, load

BROKER = {"broker.session.timeout.ms": "30000", "broker.heartbeat.interval.ms": "2000"}
"""Nobody kills this broker; while the machine is busy it must not lose its partitions."""
BROKER_JAVA = ["-Xms1g", "-Xmx1g", "-Xmn600m"]
"""With the heap of the tests it would collect every other second and answer nobody meanwhile."""


@click.command(short_help="Measure cost, latency and scale against floors and peers.")
@click.argument("parts", nargs=-1)
@click.option(
    "--broker",
    default="kafka",
    show_default=True,
    help="`kafka` (an Apache Kafka of its own), `embedded`, or the address of a broker that "
    "holds nothing of worth: Riverdesk's topics on it are DELETED.",
)
@click.option(
    "--events",
    type=click.IntRange(min=1_000),
    default=150_000,
    show_default=True,
    help="Backlog of one run of the fixed job.",
)
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--rate",
    type=click.IntRange(min=10),
    default=300,
    show_default=True,
    help="Events a second of the measure of latency.",
)
@click.option(
    "--engine", "engines", multiple=True, help="Only these run the fixed job, e.g. `desk`."
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=1),
    default=30.0,
    show_default=True,
    help="Of `soak`.",
)
@click.option(
    "--peers-python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Interpreter of the peers that have an environment of their own. Without it that which "
    "`make bench` makes beside ours, or our own.",
)
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Keep the directory with logs and states.")
def bench(
    parts: tuple[str, ...],
    broker: str,
    events: int,
    repeats: int,
    rate: int,
    engines: tuple[str, ...],
    minutes: float,
    peers_python: Path | None,
    json_path: Path | None,
    keep: bool,
) -> None:
    """Measure PARTS, or all that a plain run has; `riverdesk bench list` names them.

    Figures are medians of the repeats with their spread. CPU is user and system time of the
    worker's process. Trust ratios and what was measured in the same run; close other programs.
    The exit status is 1 if a part could not be measured.
    """
    from streams.bench.ground import Asked
    from streams.bench.interpreters import default_peers_python
    from streams.bench.registry import PARTS, PLAIN
    from streams.bench.screen import Screen

    if parts == ("list",):
        click.echo("\n".join(PARTS))
        return
    unknown = [name for name in parts if name not in PARTS]
    if unknown:
        raise click.BadParameter(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C: nothing is left
    directory = Path(tempfile.mkdtemp(prefix="riverdesk-bench-"))
    screen = Screen(Console())
    asked = Asked(
        events=events,
        repeats=repeats,
        rate_per_s=rate,
        engines=engines,
        soak_minutes=minutes,
        peers_python=(
            str(peers_python.absolute()) if peers_python else default_peers_python(Path(sys.prefix))
        ),
    )
    try:
        report = _run(parts or PLAIN, broker, directory, asked, screen)
    finally:
        if keep:
            screen.line(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    if json_path is not None:
        json_path.write_bytes(encode_pretty(report))
    screen.report(report)
    if "failed" in report:
        raise click.exceptions.Exit(1)


def _run(
    parts: tuple[str, ...], broker: str, directory: Path, asked: Any, screen: Any
) -> dict[str, Any]:
    from streams.bench.ground import Ground
    from streams.bench.interpreters import differing, versions
    from streams.bench.registry import run
    from streams.embedded.broker import EmbeddedBroker
    from streams.local_kafka.server import KafkaServer

    found = {"desk": versions(sys.executable), "peers": versions(asked.peers_python)}
    for words in differing(found["desk"], found["peers"]):
        screen.line(f"not the same work for desk and peers: {words}")
    with ExitStack() as open_:
        pid: int | None = None
        address = broker
        if broker == "kafka":
            server = open_.enter_context(
                KafkaServer(directory / "kafka", settings=BROKER, java_options=BROKER_JAVA)
            )
            address, pid = server.bootstrap, server.pid
            screen.line(f"Apache Kafka on {address}")
        elif broker == "embedded":
            address = open_.enter_context(EmbeddedBroker(directory / "broker")).bootstrap
        settings = bench_settings(load(), address)
        ground = Ground(settings, directory, asked, broker_pid=pid, tell=screen.line)
        open_.callback(ground.close)
        return {"versions": found} | run(parts, ground)


def bench_settings(settings: Settings, bootstrap: str) -> Settings:
    """Give settings for a bench on a broker: few partitions; what is set stays."""
    from streams.bench.ground import PARTITIONS

    kafka = settings.kafka
    if "kafka" not in settings.model_fields_set:
        kafka = KafkaSettings(session_timeout_ms=6_000, heartbeat_ms=500)
    changes: dict[str, Any] = {"kafka": kafka.model_copy(update={"bootstrap": bootstrap})}
    if "topics" not in settings.model_fields_set:
        changes["topics"] = TopicSettings(partitions=PARTITIONS)
    return settings.model_copy(update=changes)
