"""Dead letters: what the desk gave up on, original bytes as value, the reason in headers."""

from typing import NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict


class DeadLetter(TypedDict):
    """The headers of a dead letter, each a UTF-8 string; its identity is the source position.

    A record that has the last two too, and no value, is a note: that letter was sent again.
    """

    riverdesk_topic: str
    riverdesk_partition: str
    riverdesk_offset: str
    riverdesk_stage: str
    """``decode``, ``envelope``, ``decide`` or ``size``."""
    riverdesk_error: str
    """The error's class."""
    riverdesk_message: str
    riverdesk_failed_at: str
    riverdesk_redriven_at: NotRequired[str]
    """In a note only: when the letter was sent again."""
    riverdesk_redriven_to: NotRequired[str]
    """In a note only: topic/partition/offset of the copy."""


REDRIVEN_FROM = "riverdesk_redriven_from"
"""Header of a record that was sent again: topic/partition/offset of the first one."""

DEAD_LETTER: TypeAdapter[DeadLetter] = TypeAdapter(DeadLetter)
