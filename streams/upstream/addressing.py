"""Where a line of a file belongs: its topic and key, after validation or by a forgiving look."""

import re
from dataclasses import dataclass
from typing import Final

from schemas.codec import decode, decode_json
from schemas.errors import MalformedError, RejectedError
from schemas.registry import INPUTS, KIND_BY_TOPIC, MAX_EVENT_BYTES, Topic

MAX_KEY_BYTES: Final = 512
OVERHEAD_BYTES: Final = 256
"""More than what the protocol adds to a record that travels alone."""

_CUSTOMER: Final = re.compile(rb'"customer_id"\s*:\s*"([^"\\]{1,%d})"' % MAX_KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Address:
    """Topic and key of one record."""

    topic: Topic
    key: bytes


def address(raw: bytes, topic: Topic | None) -> Address:
    """Validate an event and tell where it belongs.

    Args:
        raw: The event as JSON.
        topic: The topic that it must fit; ``None`` to follow its ``type``.

    Raises:
        MalformedError: it is not JSON.
        RejectedError: it is not as its topic's schema says, or too large.
    """
    if len(raw) > MAX_EVENT_BYTES:
        raise RejectedError(f"{len(raw)} bytes; an event has at most {MAX_EVENT_BYTES}")
    topic = topic or _topic_of(raw)
    event = decode(topic.schema, raw)
    return Address(topic, event.customer_id.encode())


def raw_address(raw: bytes, topic: Topic, line_number: int) -> Address:
    """Tell where bytes go that nobody validates: the key is any customer_id that can be seen.

    Raises:
        RejectedError: the topic takes no record as large as this.
    """
    if len(raw) + OVERHEAD_BYTES > topic.max_message_bytes:
        raise RejectedError(
            f"{len(raw)} bytes; {topic.name} takes records of {topic.max_message_bytes} bytes"
        )
    return Address(topic, _seen_customer(raw) or b"line-%d" % line_number)


def _topic_of(raw: bytes) -> Topic:
    content = decode_json(raw)
    content = content if isinstance(content, dict) else {}
    kind = content.get("type", "transaction" if "transaction_id" in content else None)
    family = kind.partition(".")[0] if isinstance(kind, str) else None
    for topic in INPUTS:
        if KIND_BY_TOPIC[topic.name] == family:
            return topic
    raise RejectedError(f"type: {kind!r:.80} belongs to no topic; give --topic")


def _seen_customer(raw: bytes) -> bytes | None:
    try:
        content = decode_json(raw)
    except MalformedError:
        found = _CUSTOMER.search(raw)
        return found[1] if found else None
    customer = content.get("customer_id") if isinstance(content, dict) else None
    if not isinstance(customer, str) or not customer:
        return None
    key = customer.encode()
    return key if len(key) <= MAX_KEY_BYTES else None
