"""Reads the dead letters' topics from the oldest record kept to the end, without a group."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.errors import UnavailableError
from schemas.registry import dead_topic
from streams.deadletters.letters import Letter, Place, read_letter
from streams.deadletters.selection import Selection
from streams.kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
    end_offset,
    make_consumer,
    partition_numbers,
)
from streams.settings import KafkaSettings

PATIENCE_S = 30.0
FETCH_RECORDS = 100
"""Few at once, for each may have a megabyte."""
POLL_S = 0.05
QUEUED_KBYTES = 2_048
FETCH_BYTES = 4_194_304
BEGINNING = -2


@dataclass(slots=True)
class Survey:
    """What must be known of the topics before a letter is judged.

    Args:
        ends: Where each partition ended; what comes later is not looked at.
        notes: The note of each letter that was sent again.
        stranger_count: Records that are no dead letters.
    """

    ends: dict[tuple[str, int], int]
    notes: dict[Place, Letter] = field(default_factory=dict)
    stranger_count: int = 0


def survey(kafka: KafkaSettings, topics: Iterable[str]) -> Survey:
    """Read the dead letters' topics once, for what was sent again.

    Args:
        kafka: The broker.
        topics: Names of input topics.

    Raises:
        UnavailableError: the broker does not answer, or gives nothing for 30 s.
    """
    consumer = _consumer(kafka)
    try:
        ends = {
            (dead, number): end_offset(consumer, dead, number)
            for dead in map(dead_topic, topics)
            for number in partition_numbers(consumer, dead)
        }
        found = Survey(ends)
        for letter in _read(consumer, ends):
            if letter is None:
                found.stranger_count += 1
            elif letter.is_note:
                found.notes[letter.place] = letter
        return found
    finally:
        consumer.close()


def letters(kafka: KafkaSettings, surveyed: Survey, selection: Selection) -> Iterator[Letter]:
    """Give each selected letter once, in the order of its partition.

    A letter that was written twice (a desk died before it journaled the refusal) is given once.
    Memory: a number for each letter given, and no letter itself.

    Raises:
        UnavailableError: the broker does not answer, or gives nothing for 30 s.
    """
    given: dict[tuple[str, int], set[int]] = {}
    consumer = _consumer(kafka)
    ends = {
        place: end
        for place, end in surveyed.ends.items()
        if selection.may_be_in(place[0].removesuffix(".dead"), place[1])
    }
    try:
        for letter in _read(consumer, ends):
            if letter is None or letter.is_note or not selection.takes(letter):
                continue
            if selection.open_only and letter.place in surveyed.notes:
                continue
            topic, partition, offset = letter.place
            before = given.setdefault((topic, partition), set())
            if offset not in before:
                before.add(offset)
                yield letter
    finally:
        consumer.close()


def _read(consumer: Consumer, ends: dict[tuple[str, int], int]) -> Iterator[Letter | None]:
    unread = {place for place, end in ends.items() if end > 0}
    consumer.assign([TopicPartition(*place, BEGINNING) for place in sorted(unread)])
    heard_at = time.monotonic()
    while unread:
        messages = consumer.consume(FETCH_RECORDS, POLL_S)
        if messages:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > PATIENCE_S:
            raise UnavailableError(f"no more of {len(unread)} partitions of dead letters comes")
        for message in messages:
            place = (str(message.topic()), int(message.partition() or 0))
            fault, offset = message.error(), int(message.offset() or 0)
            if fault is not None:
                if fault.code() == KafkaError._PARTITION_EOF:
                    unread.discard(place)
                elif fault.fatal():
                    raise UnavailableError(f"{place[0]} cannot be read: {fault}")
                continue
            if offset < ends[place]:
                headers = message.headers() or ()
                yield read_letter(*place, message.key(), message.value(), headers)  # type: ignore[arg-type]
            if offset + 1 >= ends[place]:
                unread.discard(place)


def _consumer(kafka: KafkaSettings) -> Consumer:
    try:
        return make_consumer(
            kafka,
            "riverdesk-deadletters",
            auto_offset_reset="earliest",  # what has expired meanwhile is no fault
            queued_max_messages_kbytes=QUEUED_KBYTES,
            fetch_max_bytes=FETCH_BYTES,
        )
    except KafkaException as fault:
        raise UnavailableError(f"no reader of dead letters: {fault}") from fault
