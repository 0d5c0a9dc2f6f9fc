"""The main job on the embedded stack, and what hostile input does to it."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.registry import DEAD, TICKETS
from streams.kafka import KafkaError, TopicPartition, make_consumer
from streams.settings import Settings
from tests.integration.support import PARTITIONS, Load, embedded_stack

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

HOSTILE = 1_000


def hostile_lines(seed: int) -> Iterator[bytes]:
    """Give lines that no desk may accept."""
    draw = random.Random(seed)
    good = b'{"event_id":"e","customer_id":"c","occurred_at":"2026-03-02T00:00:00Z",'
    makers = [
        lambda: b"not json " + draw.randbytes(8).hex().encode(),
        lambda: good + b'"type":"ticket.opened","ticket_id":7,"text":"x"}',
        lambda: good + b'"type":"ticket.opened","ticket_id":"t","text":NaN}',
        lambda: good + b'"type":"ticket.opened","ticket_id":"t"}',
        lambda: good + b'"type":"ticket.exploded","ticket_id":"t","text":"x"}',
        lambda: b"\xff\xfe\x00" + draw.randbytes(32).replace(b"\n", b""),
        lambda: b"[" * 30_000,
        lambda: b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        lambda: good + b'"type":"ticket.opened","ticket_id":"t","text":"' + b"x" * 30_000 + b'"}',
        lambda: b"",
        lambda: b"null",
        lambda: b'{"event_id":"e"}',
    ]
    for number in range(HOSTILE):
        if number % 200 == 100:
            yield b'{"big":"' + b"y" * 900_000 + b'"}'
        else:
            yield makers[number % len(makers)]()


def dead_letters(settings: Settings) -> list[tuple[bytes, dict[str, str]]]:
    consumer = make_consumer(settings.kafka, "riverdesk-test-dead")
    consumer.assign([TopicPartition(t.name, p, 0) for t in DEAD for p in range(PARTITIONS)])
    found, ends = [], 0
    while ends < len(DEAD) * PARTITIONS:
        for message in consumer.consume(500, 0.5):
            fault = message.error()
            if fault is None:
                headers: Any = message.headers() or ()
                found.append((message.value() or b"", {k: v.decode() for k, v in headers}))
            elif fault.code() == KafkaError._PARTITION_EOF:
                ends += 1
    consumer.close()
    return found


def test_hostile_input_becomes_dead_letters_and_the_rest_is_decided(tmp_path: Path) -> None:
    lines = list(hostile_lines(1))
    with embedded_stack(tmp_path) as stack:
        load = Load(stack)
        todo = iter(lines)

        def poison() -> None:
            for _ in range(HOSTILE // 10):
                load.feed.send(TICKETS.name, "anybody", next(todo))

        load.company(3_000, at=dict.fromkeys(range(100, 3000, 290), poison))
        report = load.report()
        found = dead_letters(stack.settings)
    assert report["lost"] == 0
    assert report["duplicated"] == 0
    assert report["dead_letters"] == HOSTILE
    assert sorted(value for value, _ in found) == sorted(lines)
    assert all(h["riverdesk_error"] and h["riverdesk_message"] for _, h in found)
    assert stack.restarted == []
