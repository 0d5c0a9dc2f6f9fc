"""What the archiver notes about a range before and after it is inserted, and where it keeps it."""

from dataclasses import dataclass

from schemas.codec import decode_json, encode
from schemas.errors import IncompatibleError, MalformedError, UnavailableError
from schemas.registry import JOURNAL, LESSONS, QUALITY_TOPIC
from streams.journal.acceptance import Reading
from streams.kafka import (
    METADATA_TIMEOUT_S,
    Consumer,
    KafkaException,
    TopicPartition,
    first_offset,
)

GROUP = "riverdesk-archiver"
TOPICS = (JOURNAL.name, LESSONS.name, QUALITY_TOPIC.name)
Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is kept in the metadata of a committed offset (below Kafka's 4,096 bytes).

    Args:
        reading: Of the journal at the offset; of no meaning for other topics.
        open_end: End of the range that is being inserted, ``None`` if none is.
        row_count: Its rows.
        digest: Chain digest over its records.
    """

    reading: Reading = Reading()  # noqa: RUF009  # frozen
    open_end: int | None = None
    row_count: int = 0
    digest: str = ""

    def token(self) -> str:
        """Give the note as text."""
        return encode([self.reading.token(), self.open_end, self.row_count, self.digest]).decode()

    @classmethod
    def from_token(cls, token: str) -> "Note":
        """Read what :meth:`token` wrote.

        Raises:
            MalformedError: not such a token.
        """
        try:
            reading, open_end, row_count, digest = decode_json(token.encode())
            return cls(Reading.from_token(str(reading)), open_end, row_count, digest)
        except (TypeError, ValueError):
            raise MalformedError(f"not an archiver's note: {token!r}") from None


def note_down(consumer: Consumer, offsets: list[TopicPartition]) -> None:
    """Commit offsets with their notes.

    Raises:
        UnavailableError: the broker did not take them.
    """
    try:
        answers = consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException as fault:
        raise UnavailableError(f"the note was not taken: {fault}") from fault
    for answer in answers or ():
        if answer.error is not None:
            raise UnavailableError(f"the note was not taken: {answer.error}")


def noted(consumer: Consumer, numbers: list[int]) -> dict[Place, tuple[int, Note]]:
    """Give the committed offset and note of everything that belongs to these partition numbers.

    Journal and lessons are read from their very beginning; scorecards expire on their topic, so
    they are read from what is stored.

    Raises:
        UnavailableError: the broker does not tell.
        IncompatibleError: an offset was not committed by an archiver.
    """
    places = [
        TopicPartition(topic, number)
        for topic in TOPICS
        for number in numbers
        if topic == JOURNAL.name or number == 0  # lessons and scorecards have one partition
    ]
    try:
        answers = consumer.committed(places, timeout=METADATA_TIMEOUT_S)
    except KafkaException as fault:
        raise UnavailableError(f"noted positions are not known: {fault}") from fault
    notes = {}
    for answer in answers:
        if answer.error is not None:
            raise UnavailableError(f"noted positions are not known: {answer.error}")
        place = (str(answer.topic), int(answer.partition))
        if answer.offset is None or answer.offset < 0:
            notes[place] = (0, Note())
        elif answer.metadata:
            notes[place] = (answer.offset, Note.from_token(answer.metadata))
        else:
            raise IncompatibleError(f"group {GROUP} has a position without a note at {place}")
        if place[0] == QUALITY_TOPIC.name and notes[place][1].open_end is None:
            offset, note = notes[place]
            notes[place] = (max(offset, first_offset(consumer, *place)), note)
    return notes
