"""Card and account payments with their outcome (ISO 8583 and ISO 20022 ``caaa``/``pacs`` terms)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from schemas.base import MAX_AMOUNT_MINOR, Country, Currency, Event, Identifier

Outcome = Literal["approved", "declined", "reversed"]
PaymentChannel = Literal["pos", "ecommerce", "atm", "transfer", "moto", "recurring", "wallet"]


class Transaction(Event):
    """One payment attempt with its outcome. ``docs/contracts.md`` maps the fields to ISO terms."""

    type: Literal["transaction"] = "transaction"
    transaction_id: Identifier
    amount_minor: int = Field(ge=0, le=MAX_AMOUNT_MINOR, description="ISO 8583 DE 4, minor units")
    currency: Currency = Field(description="ISO 8583 DE 49 as its ISO 4217 letters")
    outcome: Outcome = "approved"
    response_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")] = Field(
        default="00", description="ISO 8583 DE 39; 00 is approved"
    )
    channel: PaymentChannel = "pos"
    merchant_id: Identifier | None = Field(default=None, description="ISO 8583 DE 42")
    terminal_id: Identifier | None = Field(default=None, description="ISO 8583 DE 41")
    mcc: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = Field(
        default=None, description="ISO 18245 merchant category, ISO 8583 DE 18"
    )
    country: Country | None = Field(default=None, description="of the merchant or terminal")
    region: Identifier | None = Field(default=None, description="where the terminal stands")
    device_id: Identifier | None = Field(default=None, description="tokenised on the way in")
    card: Identifier | None = Field(default=None, description="a PAN here is tokenised (DE 2)")


TRANSACTION: TypeAdapter[Transaction] = TypeAdapter(Transaction)
