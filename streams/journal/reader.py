"""Reads a stretch of one partition, in order, without a group."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from schemas.codec import digest_bytes
from schemas.errors import IncompatibleError, UnavailableError
from streams.intake.continuity import Continuity
from streams.kafka import Consumer, KafkaError, Message, TopicPartition, end_offset, is_gap

PATIENCE_S = 30.0
FETCH_RECORDS = 1_000


class Entry(NamedTuple):
    """One record of the stretch."""

    offset: int
    appended_ms: int
    key: bytes | None
    value: bytes


def read(consumer: Consumer, topic: str, partition: int, start: int, end: int) -> Iterator[Entry]:
    """Give the records with ``start <= offset < end``.

    Raises:
        UnavailableError: nothing came for 30 s.
        IncompatibleError: the stretch is no longer on the log; no fold crosses a gap.
    """
    for message in read_messages(consumer, topic, partition, start, end):
        yield Entry(
            int(message.offset() or 0),
            message.timestamp()[1],
            message.key(),
            message.value() or b"",
        )


def read_messages(
    consumer: Consumer,
    topic: str,
    partition: int,
    start: int,
    end: int,
    patience_s: float = PATIENCE_S,
) -> Iterator[Message]:
    """Do the same and give the records as the client has them, with headers."""
    if start >= end:
        return
    place, continuity = (topic, partition), Continuity()
    continuity.own([place])
    continuity.start(partition, {topic: start})
    heard_at = time.monotonic()
    try:
        while True:
            if continuity.moved:
                at = continuity.assignment()[place]
                consumer.assign([TopicPartition(topic, partition, at)])
            messages = consumer.consume(FETCH_RECORDS, 0.1)
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > patience_s:
                raise UnavailableError(f"{topic}/{partition} gives nothing from {start} on")
            for message in messages:
                fault, offset = message.error(), int(message.offset() or 0)
                if (message.topic(), message.partition()) != place:
                    continue  # of an earlier stretch
                if fault is not None:
                    if fault.code() == KafkaError._PARTITION_EOF:
                        continuity.end(place, offset)
                        if offset >= end and continuity.unread_ms(partition) is None:
                            return
                    elif is_gap(fault):
                        raise IncompatibleError(f"{topic}/{partition} has lost {start}: {fault}")
                    continue
                if not continuity.take(place, offset, message.timestamp()[1]):
                    continue
                if offset >= end:
                    return
                yield message
                if offset + 1 >= end:
                    return
    finally:
        consumer.unassign()


def is_on_log(
    consumer: Consumer, topic: str, partition: int, next_offset: int, digest: str
) -> bool:
    """Tell whether the record before ``next_offset`` has a digest: whether a fold is of this log.

    Raises:
        UnavailableError: the broker does not answer.
    """
    at = next_offset - 1
    if at < 0 or next_offset > end_offset(consumer, topic, partition):
        return False
    try:
        stretch = list(read(consumer, topic, partition, at, next_offset))
    except IncompatibleError:  # gone from the log
        return False
    return [digest_bytes(entry.value) for entry in stretch] == [digest]
