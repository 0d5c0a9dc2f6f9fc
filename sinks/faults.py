"""What a ClickHouse error code asks of us: wait, halt, or refuse to start."""

from __future__ import annotations

import re
from typing import Final

from schemas.errors import (
    IncompatibleError,
    MisconfiguredError,
    RiverdeskError,
    UnavailableError,
)

_MAX_MESSAGE_CHARS: Final = 2_000
_STACK: Final = re.compile(r"\.? Stack trace:\s.*\Z", re.DOTALL)

# Seconds to wait before the next try, by code.
RETRY_AFTER_S: Final[dict[int, float]] = {
    # The server, its network or its disk is in trouble, or it has more to do than it can.
    3: 1.0,  # UNEXPECTED_END_OF_FILE
    32: 1.0,  # ATTEMPT_TO_READ_AFTER_EOF
    74: 5.0,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
    75: 5.0,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR
    76: 5.0,  # CANNOT_OPEN_FILE
    95: 1.0,  # CANNOT_READ_FROM_SOCKET
    96: 1.0,  # CANNOT_WRITE_TO_SOCKET
    101: 1.0,  # UNEXPECTED_PACKET_FROM_CLIENT
    107: 1.0,  # FILE_DOESNT_EXIST
    159: 2.0,  # TIMEOUT_EXCEEDED
    160: 2.0,  # TOO_SLOW
    173: 5.0,  # CANNOT_ALLOCATE_MEMORY
    198: 5.0,  # DNS_ERROR
    201: 30.0,  # QUOTA_EXCEEDED
    202: 1.0,  # TOO_MANY_SIMULTANEOUS_QUERIES
    203: 1.0,  # NO_FREE_CONNECTION
    209: 1.0,  # SOCKET_TIMEOUT
    210: 1.0,  # NETWORK_ERROR
    236: 1.0,  # ABORTED
    241: 5.0,  # MEMORY_LIMIT_EXCEEDED
    243: 30.0,  # NOT_ENOUGH_SPACE
    252: 5.0,  # TOO_MANY_PARTS
    279: 5.0,  # ALL_CONNECTION_TRIES_FAILED
    341: 2.0,  # UNFINISHED
    364: 2.0,  # RECEIVED_ERROR_TOO_MANY_REQUESTS
    373: 1.0,  # SESSION_IS_LOCKED
    384: 1.0,  # PART_IS_TEMPORARILY_LOCKED
    394: 1.0,  # QUERY_WAS_CANCELLED
    439: 2.0,  # CANNOT_SCHEDULE_TASK
    473: 1.0,  # DEADLOCK_AVOIDED
    499: 5.0,  # S3_ERROR
    745: 5.0,  # SERVER_OVERLOADED
    1000: 2.0,  # POCO_EXCEPTION
    1001: 2.0,  # STD_EXCEPTION; the embedded engine's word for a file that a merge just removed
    # Replicas and their coordination.
    225: 5.0,  # NO_ZOOKEEPER
    242: 5.0,  # TABLE_IS_READ_ONLY
    244: 5.0,  # UNEXPECTED_ZOOKEEPER_ERROR
    254: 5.0,  # NO_ACTIVE_REPLICAS
    285: 5.0,  # TOO_FEW_LIVE_REPLICAS
    286: 5.0,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
    289: 5.0,  # REPLICA_IS_NOT_IN_QUORUM
    319: 2.0,  # UNKNOWN_STATUS_OF_INSERT: the same token makes the repeat harmless
    369: 5.0,  # ALL_REPLICAS_ARE_STALE
    999: 5.0,  # KEEPER_EXCEPTION
    # An operator's doing, to be mended while we wait.
    60: 5.0,  # UNKNOWN_TABLE
    164: 5.0,  # READONLY
    218: 5.0,  # TABLE_IS_DROPPED
}

MISCONFIGURED_CODES: Final = frozenset(
    {
        81,  # UNKNOWN_DATABASE
        192,  # UNKNOWN_USER
        193,  # WRONG_PASSWORD
        194,  # REQUIRED_PASSWORD
        195,  # IP_ADDRESS_NOT_ALLOWED
        497,  # ACCESS_DENIED
        516,  # AUTHENTICATION_FAILED
    }
)


def fault_of(code: int, message: str) -> RiverdeskError:
    """Return the error to raise for a server's exception.

    What is neither a matter of waiting nor of settings is a disagreement between what we send and
    what the tables are (a type, a column, a constraint, a failing view): the caller has to halt
    without acknowledging.
    """
    brief = _STACK.sub("", message).removeprefix("DB::Exception: ")[:_MAX_MESSAGE_CHARS]
    text = f"ClickHouse said {code}: {brief}"
    if code in RETRY_AFTER_S:
        return UnavailableError(text, RETRY_AFTER_S[code])
    if code in MISCONFIGURED_CODES:
        return MisconfiguredError(text)
    return IncompatibleError(text)
