"""Which records are let in, and what is kept of those that are not."""

from models import core as riverdesk
from models.verbs import Core
from schemas.base import Event, moment
from schemas.codec import decode
from schemas.errors import MalformedError, RejectedError
from schemas.registry import MAX_EVENT_BYTES, SCHEMA_BY_TOPIC, dead_topic
from streams.desk.guard import Refusal
from streams.intake.batches import Raw
from streams.journal.writer import Outgoing
from streams.partitioning import partition_for


class Admission:
    """Turns the records of one partition into validated and masked events.

    Args:
        partition: The partition number.
        partition_count: Of the inputs.
        masking_key: Key of the tokens for card numbers and devices.
        core: Masks the events.

    Attributes:
        stage: How far the latest record came; named in its dead letter.
    """

    def __init__(
        self,
        partition: int,
        partition_count: int,
        masking_key: bytes,
        core: Core = riverdesk,
    ) -> None:
        self.stage = "decode"
        self._partition = partition
        self._partition_count = partition_count
        self._masking_key = masking_key
        self._core = core

    def admit(self, raw: Raw) -> Event:
        """Give the event of a record.

        Raises:
            MalformedError, RejectedError: it becomes a dead letter.
        """
        self.stage = "decode"
        if raw.value is None:
            raise MalformedError("no value")
        self.stage = "size"
        if len(raw.value) > MAX_EVENT_BYTES:
            raise RejectedError(f"{len(raw.value)} bytes; at most {MAX_EVENT_BYTES} are taken")
        self.stage = "decode"
        event: Event = decode(SCHEMA_BY_TOPIC[raw.topic], raw.value)
        self.stage = "envelope"
        if raw.key is None:
            raise RejectedError("no key: the Kafka key must be the customer_id")
        if raw.key != event.customer_id.encode():
            raise RejectedError("the Kafka key is not the customer_id")
        right = partition_for(raw.key, self._partition_count)
        if right != self._partition:
            raise RejectedError(
                f"on partition {self._partition}, but murmur2 of the key gives {right}: "
                "set the producer's partitioner to murmur2"
            )
        return self._core.mask(event, self._masking_key)

    def dead_letter(self, raw: Raw, why: Refusal, decided_ms: int) -> Outgoing:
        """Give the record as it came, with the reason in headers."""
        headers = {
            "riverdesk_topic": raw.topic,
            "riverdesk_partition": str(self._partition),
            "riverdesk_offset": str(raw.offset),
            "riverdesk_stage": why.stage,
            "riverdesk_error": why.error,
            "riverdesk_message": why.message,
            "riverdesk_failed_at": moment(decided_ms),
        }
        return Outgoing(
            dead_topic(raw.topic),
            self._partition,
            raw.key,
            raw.value,
            tuple((name, value.encode()) for name, value in headers.items()),
        )
