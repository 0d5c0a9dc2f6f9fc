"""What every event that comes in has in common."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""An opaque identifier: 1 to 128 characters, compared byte by byte."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 alphabetic code, upper case."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2 code, upper case."""

UtcDatetime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A moment with its offset given (RFC 3339), kept in UTC."""

MAX_AMOUNT_MINOR = 10**15
"""The largest amount in minor units that an event may carry (fits a double exactly)."""

MAX_TEXT_CHARS = 20_000
"""The longest free text that an event may carry, in characters."""


class Contract(BaseModel):
    """A value that crosses the edge: frozen, strictly typed, tolerant of unknown fields."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, strict=True, extra="ignore", allow_inf_nan=False
    )


class Money(Contract):
    """An amount in minor units of its currency (ISO 20022 ``Amt`` with ``Ccy``)."""

    amount_minor: int = Field(ge=0, le=MAX_AMOUNT_MINOR, description="minor units, e.g. cents")
    currency: Currency


class Event(Contract):
    """The envelope of every event that comes in.

    The Kafka key is ``customer_id`` (UTF-8), partitioned with murmur2.
    """

    event_id: Identifier = Field(description="unique per tenant; a repeat within 7 days is dropped")
    tenant: Identifier = "default"
    customer_id: Identifier
    occurred_at: UtcDatetime = Field(description="when it happened, not when it was published")

    @cached_property
    def occurred_ms(self) -> int:
        """``occurred_at`` as milliseconds since the epoch.

        Kept with the event: do not give another ``occurred_at`` to ``model_copy``.
        """
        return milliseconds(self.occurred_at)


def milliseconds(moment: datetime) -> int:
    """Give an aware moment as milliseconds since the epoch, rounded down.

    >>> milliseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000
    """
    return int(moment.timestamp() * 1000)


def moment(at_ms: int) -> str:
    """Give milliseconds since the epoch as RFC 3339 in UTC, to the millisecond.

    >>> moment(1_500)
    '1970-01-01T00:00:01.500Z'
    """
    whole, rest_ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ms:03d}Z"
