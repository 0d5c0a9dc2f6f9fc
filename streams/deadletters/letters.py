"""A dead letter as it lies on its topic, and the note that it was sent again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.base import milliseconds
from schemas.errors import RejectedError
from schemas.registry import INPUTS, dead_topic

TOPICS = tuple(topic.name for topic in INPUTS)
"""Topics whose records may become dead letters."""

Headers = tuple[tuple[str, bytes], ...]


class Place(NamedTuple):
    """Where the refused record stands: the identity of its dead letter."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read topic/partition/offset.

        Raises:
            RejectedError: it is not the position of an input record.
        """
        parts = text.split("/")
        if len(parts) == 3 and parts[0] in TOPICS and all(map(_is_number, parts[1:])):
            return cls(parts[0], int(parts[1]), int(parts[2]))
        raise RejectedError(
            f"{text!r:.200} is no position: give TOPIC/PARTITION/OFFSET of the refused record, "
            f"topic one of {', '.join(TOPICS)}"
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused record with the reason, or the note that it was sent again.

    Args:
        place: Where the refused record stands.
        stage: How far it came.
        error: The error's class.
        message: What was wrong.
        failed_ms: When it was refused, milliseconds since the epoch.
        key: As it came.
        value: As it came; ``None`` in a note.
        size_bytes: Length of the value.
        headers: All of them.
        redriven_at: In a note: when it was sent again; "" in a letter.
        redriven_to: In a note: where its copy stands; "" in a letter.
    """

    place: Place
    stage: str
    error: str
    message: str
    failed_ms: int
    key: bytes | None
    value: bytes | None
    size_bytes: int
    headers: Headers
    redriven_at: str = ""
    redriven_to: str = ""

    @property
    def is_note(self) -> bool:
        """Whether this only says that the letter was sent again."""
        return bool(self.redriven_at)


def read_letter(
    topic: str,
    partition: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Letter | None:
    """Give the letter that a record is; ``None`` where it has not a letter's headers.

    Args:
        topic: The dead letters' topic.
        partition: The same as that of the refused record.
        key: Of the record.
        value: Of the record.
        headers: Of the record.
    """
    kept = tuple((name, content or b"") for name, content in headers)
    text = {name: content.decode(errors="replace") for name, content in kept}
    try:
        place = Place.parse("/".join(text[f"riverdesk_{part}"] for part in Place._fields))
        failed_ms = milliseconds(datetime.fromisoformat(text["riverdesk_failed_at"]))
        stage, error = text["riverdesk_stage"], text["riverdesk_error"]
        message = text["riverdesk_message"]
    except (KeyError, ValueError, RejectedError):
        return None
    if (dead_topic(place.topic), place.partition) != (topic, partition):
        return None
    at, to = text.get("riverdesk_redriven_at", ""), text.get("riverdesk_redriven_to", "")
    size_bytes = len(value or b"")
    return Letter(place, stage, error, message, failed_ms, key, value, size_bytes, kept, at, to)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
