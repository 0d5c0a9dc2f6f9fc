"""What a record of the journal tells before it is parsed: that nothing follows from it.

Most records have no effects, and parsing them would be most of the publisher's work. A glance is
certain, or it gives nothing: the desk writes the same keys first and last, and no key twice. A
quotation mark behind a comma is never inside a text, where it would stand behind a backslash; so
what is found at the end of the record is a key with its value, and the last bracket of a record is
that of the record itself.
"""

import re
from typing import Any

_HEAD = re.compile(
    rb'\{"v":\d+,"kind":"([a-z]+)","epoch":(\d+),"number":(\d+),"writer":"([^"\\]*)",'
)
_NOTHING = b',"effects":[],"decided_ms":'
_LONGEST_TAIL = len(_NOTHING) + 21


def glance(raw: bytes) -> dict[str, Any] | None:
    """Give what the reader's rule asks of a record without effects; ``None``: parse it.

    Args:
        raw: Valid JSON of one object, as the desk writes it.
    """
    at = raw.rfind(_NOTHING, max(0, len(raw) - _LONGEST_TAIL))
    if at < 0 or not raw[at + len(_NOTHING) : -1].isdigit() or raw[-1:] != b"}":
        return None
    head = _HEAD.match(raw)
    if head is None:
        return None
    kind, epoch, number, writer = head.groups()
    return {
        "kind": kind.decode(),
        "epoch": int(epoch),
        "number": int(number),
        "writer": writer.decode(),
    }
