"""What is evaluated: the rows of a file, as the protocols see them."""

from typing import Protocol


class TicketExample(Protocol):
    """A text with the class that people gave it."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def text(self) -> str:
        """What was written."""
        ...

    @property
    def label(self) -> str:
        """Its class."""
        ...


class PaymentExample(Protocol):
    """A transaction and whether it was fraud."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def ts(self) -> int:
        """When it happened, in seconds since the epoch."""
        ...

    @property
    def customer_id(self) -> str:
        """Whose card it was."""
        ...

    @property
    def terminal_id(self) -> str:
        """Where it was."""
        ...

    @property
    def amount(self) -> float:
        """In units of the currency, at least 0."""
        ...

    @property
    def is_fraud(self) -> bool:
        """What became known days later."""
        ...

    @property
    def scenario(self) -> str:
        """Which kind of fraud the file says it was; ``unknown`` where it does not."""
        ...
