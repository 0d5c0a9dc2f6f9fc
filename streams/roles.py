"""The three roles, made from the settings."""

import faust

from schemas.errors import MisconfiguredError
from schemas.registry import INPUTS, JOURNAL
from sinks.clickhouse import Warehouse
from sinks.sink import Sink
from streams.archiver.archiver import Archiver
from streams.desk.desk import Desk
from streams.publisher.publisher import Publisher
from streams.role import Halt, make_app, now_ms
from streams.settings import Settings, WarehouseSettings
from streams.topics import partition_counts

ROLES = ("desk", "publisher", "archiver")


def make_role(name: str, settings: Settings, halt: Halt) -> faust.App:
    """Make a role's Faust app.

    Raises:
        MisconfiguredError: no such role, or topics are missing or not partitioned alike.
        UnavailableError: the broker cannot be reached.
    """
    partition_count = journal_partitions(settings)
    if name == "desk":
        return make_app(
            settings,
            name,
            settings.desk.web_port,
            lambda deliver: Desk(settings, partition_count, now_ms, deliver, halt),
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
        )
    raise MisconfiguredError(f"no role {name!r}; there are {', '.join(ROLES)}")


def open_warehouse(warehouse: WarehouseSettings) -> Warehouse:
    """Give a client of the warehouse; it connects at its first use."""
    return Warehouse(
        host=warehouse.host,
        port=warehouse.port,
        database=warehouse.database,
        user=warehouse.user,
        password=warehouse.password.get_secret_value(),
    )


def journal_partitions(settings: Settings) -> int:
    """Give the partition count that inputs and journal share.

    Raises:
        MisconfiguredError: topics are missing or not partitioned alike.
    """
    names = [topic.name for topic in (*INPUTS, JOURNAL)]
    counts = partition_counts(settings.kafka, names)
    missing = [name for name in names if name not in counts]
    if missing:
        raise MisconfiguredError(
            f"no such topics: {', '.join(missing)}; run `riverdesk topics create`"
        )
    if len(set(counts.values())) != 1:
        raise MisconfiguredError(f"inputs and journal must have equally many partitions: {counts}")
    return counts[JOURNAL.name]
