"""Dead letters: what the desk gave up on, original bytes as value, the reason in headers."""

from pydantic import TypeAdapter
from typing_extensions import TypedDict


class DeadLetter(TypedDict):
    """The headers of a dead letter, each a UTF-8 string; its identity is the source position."""

    riverdesk_topic: str
    riverdesk_partition: str
    riverdesk_offset: str
    riverdesk_stage: str
    """``decode``, ``envelope``, ``decide`` or ``size``."""
    riverdesk_error: str
    """The error's class."""
    riverdesk_message: str
    riverdesk_failed_at: str


DEAD_LETTER: TypeAdapter[DeadLetter] = TypeAdapter(DeadLetter)
