"""``riverdesk chaos``: a fault campaign, everything counted and compared."""

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
from streams.settings import DeskSettings, KafkaSettings, Settings, TopicSettings, load

PARTITIONS = 6


@click.command(short_help="Strike with faults while a load runs, count.")
@click.option(
    "--broker",
    default="kafka",
    show_default=True,
    help="`kafka` (an Apache Kafka of its own), `embedded`, or the address of a broker.",
)
@click.option("--events", type=click.IntRange(min=100), default=10_000, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--faults", type=click.IntRange(min=0), default=12, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--then-replay", type=click.IntRange(min=1), help="Decide so many again, compare.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Keep the directory with logs, state and data.")
def chaos(
    broker: str,
    events: int,
    workers: int,
    faults: int,
    seed: int,
    then_replay: int | None,
    json_path: Path | None,
    keep: bool,
) -> None:
    """Run a seeded load while seeded faults strike, then compare everything by id and content.

    Roles, broker and ClickHouse are killed, frozen, restarted and taken away; checkpoints and
    state are damaged and lost; upstreams send poison, repeat themselves and lose their order;
    clocks jump. The exit status is 1 if anything was lost, duplicated or differs.
    """
    from streams.chaos.screen import Screen

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C: nothing is left
    directory = Path(tempfile.mkdtemp(prefix="riverdesk-chaos-"))
    screen = Screen(Console())
    try:
        report = _run(broker, directory, events, workers, faults, seed, then_replay, screen)
    finally:
        if keep:
            screen.line(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    if json_path is not None:
        json_path.write_bytes(encode_pretty(report))
    screen.report(report)
    if screen.failed(report):
        raise click.exceptions.Exit(1)


def _run(
    broker: str,
    directory: Path,
    events: int,
    workers: int,
    faults: int,
    seed: int,
    then_replay: int | None,
    screen: Any,
) -> dict[str, Any]:
    from streams.chaos.campaign import Campaign
    from streams.chaos.faults import FAULTS
    from streams.chaos.plan import draw
    from streams.local_kafka.server import KafkaServer
    from streams.stack.stack import Stack

    settings = campaign_settings(load())
    targets = {fault.target for fault in FAULTS}
    with ExitStack() as open_:
        server: KafkaServer | None = None
        if broker == "kafka":
            server = open_.enter_context(KafkaServer(directory / "kafka"))
            settings = _on(settings, server.bootstrap)
            screen.line(f"Apache Kafka on {server.bootstrap}")
        elif broker == "embedded":
            targets -= {"broker", "group"}
            if workers > 1:
                screen.line("one desk: the stand-in never gives a dead member's partitions away")
                workers = 1
        else:
            targets -= {"broker"}
            settings = _on(settings, broker)
        skipped = [fault.kind for fault in FAULTS if fault.target not in targets]
        if skipped:
            screen.line(f"skipped on this broker: {', '.join(skipped)}")
        stack = Stack(
            settings,
            directory,
            embedded_broker=broker == "embedded",
            desks=workers,
            skewable=True,
            tell=screen.line,
        )
        with stack:
            plan = draw(seed, faults, events, targets)
            with Campaign(stack, server, plan, events, seed, screen.line) as campaign:
                report = campaign.run()
            report["faults_skipped"] = skipped
            if then_replay is not None:
                from streams.replay.replay import replay_many

                screen.line(f"deciding {then_replay} decisions again")
                report["replay"] = replay_many(
                    stack.settings.kafka,
                    stack.settings.topics.partitions,
                    sample=then_replay,
                    seed=seed,
                ).report()
        return report


def campaign_settings(settings: Settings) -> Settings:
    """Give settings under which faults take seconds, not minutes; what is set stays."""
    changes: dict[str, Any] = {}
    if "topics" not in settings.model_fields_set:
        changes["topics"] = TopicSettings(partitions=PARTITIONS)
    if "kafka" not in settings.model_fields_set:
        changes["kafka"] = KafkaSettings(session_timeout_ms=6_000, heartbeat_ms=500)
    if "desk" not in settings.model_fields_set:
        changes["desk"] = DeskSettings(
            checkpoint_every_lessons=2_500, state_checkpoint_every_s=20, digest_every_lessons=2_500
        )
    return settings.model_copy(update=changes)


def _on(settings: Settings, bootstrap: str) -> Settings:
    kafka = settings.kafka.model_copy(update={"bootstrap": bootstrap})
    return settings.model_copy(update={"kafka": kafka})
