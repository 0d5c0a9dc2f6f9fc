"""Support tickets: opened, a message on one, its status changed, closed (ITIL incident life)."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import MAX_TEXT_CHARS, Event, Identifier, Money

TicketChannel = Literal["app", "chat", "email", "phone", "web", "social", "branch"]
TicketStatus = Literal["open", "in_progress", "waiting_customer", "on_hold", "reopened", "resolved"]
CustomerTier = Literal["standard", "premium", "business"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
"""BCP 47 language tag, e.g. ``en``, ``zh``, ``zh-Hans``."""

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]


class TicketEvent(Event):
    """What every event about a ticket carries."""

    ticket_id: Identifier


class TicketOpened(TicketEvent):
    """A customer asked for help."""

    type: Literal["ticket.opened"]
    subject: str = Field(default="", max_length=500)
    text: Text
    channel: TicketChannel = "web"
    language: Language | None = None
    product: Identifier | None = None
    customer_tier: CustomerTier = "standard"
    amount_at_stake: Money | None = Field(default=None, description="what the customer may lose")
    transaction_ids: tuple[Identifier, ...] = Field(
        default=(), max_length=50, description="transactions that the ticket is about"
    )


class TicketMessage(TicketEvent):
    """Somebody wrote on an open ticket."""

    type: Literal["ticket.message"]
    author: Literal["customer", "agent"] = "customer"
    text: Text
    language: Language | None = None
    transaction_ids: tuple[Identifier, ...] = Field(default=(), max_length=50)


class TicketStatusChanged(TicketEvent):
    """A ticket moved to another status; ``waiting_customer`` and ``on_hold`` stop the SLA clock."""

    type: Literal["ticket.status_changed"]
    status: TicketStatus


class TicketClosed(TicketEvent):
    """A ticket ended."""

    type: Literal["ticket.closed"]
    resolution: Identifier | None = Field(default=None, description="what solved it, if anything")


Ticket = Annotated[
    TicketOpened | TicketMessage | TicketStatusChanged | TicketClosed, Field(discriminator="type")
]

TICKET: TypeAdapter[TicketOpened | TicketMessage | TicketStatusChanged | TicketClosed] = (
    TypeAdapter(Ticket)
)
