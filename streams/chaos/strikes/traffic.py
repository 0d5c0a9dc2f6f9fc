"""Strikes by upstream systems: poison, repetition, disorder."""

from collections.abc import Iterator
from random import Random

from schemas.registry import INPUTS, MAX_EVENT_BYTES
from streams.chaos.load import Record
from streams.chaos.rig import Rig

POISON_RECORDS = (20, 120)
REPEATED_EVENTS = (50, 500)
DISORDERED_EVENTS = (50, 300)


def poison(rig: Rig, draw: Random) -> str:
    """Publish a burst of records that cannot be decided."""
    count = draw.randint(*POISON_RECORDS)
    rig.load.inject(_poison(draw, count, rig.stack.settings.topics.partitions))
    return f"{count} records"


def repeat(rig: Rig, draw: Random) -> str:
    """Publish the latest events again."""
    count = draw.randint(*REPEATED_EVENTS)
    rig.load.repeat(count)
    return f"{count} events"


def disorder(rig: Rig, draw: Random) -> str:
    """Publish the next events in any order."""
    count = draw.randint(*DISORDERED_EVENTS)
    rig.load.disorder(count, draw)
    return f"{count} events"


def _poison(draw: Random, count: int, partition_count: int) -> Iterator[Record]:
    customer = f"c-{draw.randrange(10_000)}"
    key = customer.encode()
    head = f'"event_id":"poison-{draw.randrange(1 << 32)}","customer_id":"{customer}"'
    shapes = (
        (key, b"\xff\xfe\x00 not even text"),
        (key, b'{"event_id": "cut off in the mid'),
        (key, None),
        (key, b""),
        (key, b"[]"),
        (key, b'"a string"'),
        (key, b"[" * 5_000),
        (key, f"{{{head}}}".encode()),
        (key, f'{{{head},"type":"payment","amount_minor":-1}}'.encode()),
        (key, f'{{{head},"type":"ticket.opened","text":"\\ud800"}}'.encode()),
        (None, f"{{{head}}}".encode()),
        (b"somebody-else", f"{{{head}}}".encode()),
        (key, b'{"blob": "' + b"x" * MAX_EVENT_BYTES + b'"}'),
    )
    for _ in range(count):
        poisoned_key, value = draw.choice(shapes[:-1] if draw.random() < 0.98 else shapes)
        astray = draw.random() < 0.3 or poisoned_key is None
        yield Record(
            draw.choice(INPUTS).name,
            poisoned_key,
            value,
            draw.randrange(partition_count) if astray else None,
        )
