"""The three roles, made from the settings."""

from collections.abc import Callable

import faust

from models import core as riverdesk
from models.verbs import Core
from schemas.errors import MisconfiguredError
from sinks.sink import Sink
from streams.archiver.archiver import Archiver
from streams.desk.desk import Desk
from streams.memory import YOUNG_WHERE_ROWS_WAIT
from streams.publisher.publisher import Publisher
from streams.role import Halt, make_app, now_ms
from streams.settings import Settings
from streams.topics import journal_partitions
from streams.warehouse import open_warehouse

ROLES = ("desk", "publisher", "archiver")


def make_role(
    name: str,
    settings: Settings,
    halt: Halt,
    clock: Callable[[], int] = now_ms,
    core: Core = riverdesk,
) -> faust.App:
    """Make a role's Faust app.

    Args:
        name: One of :data:`ROLES`.
        settings: All settings.
        halt: Called when the role must not go on.
        clock: Milliseconds since the epoch; what the desk notes as its time.
        core: What the desk decides and folds with.

    Raises:
        MisconfiguredError: no such role, or topics are missing or not partitioned alike.
        UnavailableError: the broker cannot be reached.
    """
    partition_count = journal_partitions(settings.kafka)
    if name == "desk":
        return make_app(
            settings,
            name,
            settings.desk.web_port,
            lambda deliver: Desk(settings, partition_count, clock, deliver, halt, core),
        )
    if name == "publisher":
        return make_app(
            settings,
            name,
            settings.publisher.web_port,
            lambda deliver: Publisher(settings, deliver, halt),
        )
    if name == "archiver":
        sink = Sink(open_warehouse(settings.warehouse))
        return make_app(
            settings,
            name,
            settings.archiver.web_port,
            lambda deliver: Archiver(settings, sink, deliver, halt),
            young=YOUNG_WHERE_ROWS_WAIT,
        )
    raise MisconfiguredError(f"no role {name!r}; there are {', '.join(ROLES)}")
