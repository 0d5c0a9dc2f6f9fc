"""Would a dead letter be admitted now? The desk's own rule, asked before anything is sent."""

from typing import NamedTuple

from models.core import AHEAD_MS
from schemas.base import Event
from schemas.codec import decode
from schemas.errors import MalformedError, RejectedError
from schemas.registry import INPUTS, SCHEMA_BY_TOPIC
from streams.deadletters.letters import Letter
from streams.desk.admission import Admission
from streams.desk.guard import Refusal, attempt
from streams.intake.batches import Raw
from streams.partitioning import partition_for

HEADER_BYTES = 1_024
"""More than the headers of a copy and its frame take."""
MAX_BYTES = {topic.name: topic.max_message_bytes - HEADER_BYTES for topic in INPUTS}


class Verdict(NamedTuple):
    """Where the copy of a letter would go, and what would become of it.

    Args:
        key: Its key.
        partition: What murmur2 of the key gives; without a key the one where it was refused.
        refusal: Why it would be refused again, as far as can be told before.
        sendable: Whether the source topic takes so large a record.
    """

    key: bytes | None
    partition: int
    refusal: Refusal | None
    sendable: bool


class Trial:
    """Judges letters as the desk would.

    Not asked is what depends on the customer's state: a decision that raised an exception is
    taken to succeed now, and an event id that was decided within 7 days becomes a ``duplicate``.

    Args:
        partition_count: Of the inputs.
        masking_key: Key of the tokens for card numbers and devices.
        key_from_payload: Key a copy by the ``customer_id`` in its payload, where that can be read.
    """

    def __init__(self, partition_count: int, masking_key: bytes, key_from_payload: bool) -> None:
        self._partition_count = partition_count
        self._masking_key = masking_key
        self._key_from_payload = key_from_payload
        self._admissions: dict[int, Admission] = {}

    def judge(self, letter: Letter, now_ms: int) -> Verdict:
        """Judge one letter, as if it were published now."""
        key = self._key(letter)
        partition = letter.place.partition
        if key is not None:
            partition = partition_for(key, self._partition_count)
        admission = self._admissions.get(partition)
        if admission is None:
            admission = Admission(partition, self._partition_count, self._masking_key)
            self._admissions[partition] = admission
        raw = Raw(now_ms, letter.place.topic, letter.place.offset, key, letter.value)
        found = attempt(lambda: admission.stage, lambda: admission.admit(raw))
        refusal = found if isinstance(found, Refusal) else _ahead(found, now_ms)
        size_bytes = letter.size_bytes + len(key or b"")
        return Verdict(key, partition, refusal, size_bytes <= MAX_BYTES[letter.place.topic])

    def _key(self, letter: Letter) -> bytes | None:
        if not self._key_from_payload or letter.value is None:
            return letter.key
        try:
            event: Event = decode(SCHEMA_BY_TOPIC[letter.place.topic], letter.value)
        except (MalformedError, RejectedError):
            return letter.key
        return event.customer_id.encode()


def _ahead(event: Event, now_ms: int) -> Refusal | None:
    """Refuse what the core would refuse for its times alone."""
    known_ms: int = getattr(event, "known_ms", event.occurred_ms)
    if event.occurred_ms - now_ms > AHEAD_MS or known_ms - event.occurred_ms > AHEAD_MS:
        return Refusal("decide", "RejectedError", "its time is more than 5 minutes ahead")
    return None
