"""How far the journal was published: committed offsets with the reading in their metadata."""

import time

from schemas.errors import IncompatibleError, UnavailableError
from schemas.registry import JOURNAL, LESSONS
from streams.journal.acceptance import Reading
from streams.kafka import (
    METADATA_TIMEOUT_S,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
    make_consumer,
)
from streams.settings import KafkaSettings

GROUP = "riverdesk-publisher"


def committed(consumer: Consumer, numbers: list[int]) -> dict[int, tuple[int, Reading] | None]:
    """Give position and reading of each partition, ``None`` where nothing was committed.

    Raises:
        UnavailableError: the broker does not tell.
        IncompatibleError: a position was not committed by a publisher.
    """
    asked = [TopicPartition(JOURNAL.name, number) for number in numbers]
    try:
        answers = consumer.committed(asked, timeout=METADATA_TIMEOUT_S)
    except KafkaException as fault:
        raise UnavailableError(f"committed positions are not known: {fault}") from fault
    found: dict[int, tuple[int, Reading] | None] = {}
    for answer in answers:
        if answer.error is not None:
            raise UnavailableError(f"committed positions are not known: {answer.error}")
        if answer.offset is None or answer.offset < 0:
            found[answer.partition] = None
        elif not answer.metadata:
            raise IncompatibleError(
                f"group {GROUP} has a position in partition {answer.partition} without a "
                "reading of the journal: it was not committed by a publisher"
            )
        else:
            found[answer.partition] = (answer.offset, Reading.from_token(answer.metadata))
    return found


def refuse_lost_positions(kafka: KafkaSettings) -> None:
    """Refuse to begin at the beginning where outputs were published before.

    A group without members loses its offsets after ``offsets.retention.minutes``; publishing the
    whole journal again would repeat every alert. Call it where no partition has a position.

    Raises:
        IncompatibleError: lessons stand on their topic already.
        UnavailableError: the broker does not tell.
    """
    consumer = make_consumer(kafka, group=GROUP)
    deadline_s = time.monotonic() + METADATA_TIMEOUT_S
    try:
        consumer.assign([TopicPartition(LESSONS.name, 0, 0)])
        while time.monotonic() < deadline_s:
            message = consumer.poll(0.2)
            if message is None:
                continue
            fault = message.error()
            if fault is None:
                raise IncompatibleError(
                    f"group {GROUP} has lost its positions, but {LESSONS.name} holds records: "
                    "publishing the journal from its beginning would repeat them all; restore "
                    "the group's offsets with their metadata, or set "
                    "RIVERDESK_PUBLISHER__FROM_BEGINNING=true to repeat everything on purpose"
                )
            if fault.code() == KafkaError._PARTITION_EOF:
                return
        raise UnavailableError(f"{LESSONS.name} does not answer")
    finally:
        consumer.close()
