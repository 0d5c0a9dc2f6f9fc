"""The errors of Riverdesk, each named for what its reader must do.

RiverdeskError
├── MalformedError      the bytes are not what the topic carries: dead letter
├── RejectedError       well formed, but a rule forbids it: dead letter
├── UnavailableError    a neighbour is away: pause, then retry in order
├── IncompatibleError   state and code disagree: halt, acknowledge nothing
└── MisconfiguredError  refuse to start and name every fault at once
"""


class RiverdeskError(Exception):
    """Base of every error that Riverdesk raises on purpose."""


class MalformedError(RiverdeskError):
    """The bytes do not parse as the topic's schema; the record becomes a dead letter."""


class RejectedError(RiverdeskError):
    """The event parses but breaks a rule of the contract; the record becomes a dead letter."""


class UnavailableError(RiverdeskError):
    """A neighbour (broker, warehouse) cannot serve now; wait and retry in order.

    Args:
        message: What is away and what it said.
        retry_after_s: Seconds to wait before the next try, > 0.
    """

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class IncompatibleError(RiverdeskError):
    """Stored state and running code disagree; halt without acknowledging anything."""


class MisconfiguredError(RiverdeskError):
    """The settings or the installation cannot work; the message names every fault."""
