"""What the edge lets in: laws of decoding, refusals with their place, tolerance."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from schemas.base import MAX_AMOUNT_MINOR
from schemas.codec import decode, dump, encode
from schemas.errors import MalformedError, RejectedError
from schemas.feedback import (
    FEEDBACK,
    AlertFeedback,
    PriorityOverride,
    TicketFeedback,
    TransactionFeedback,
)
from schemas.tickets import TICKET, TicketClosed, TicketMessage, TicketOpened, TicketStatusChanged
from schemas.transactions import TRANSACTION, Transaction

identifiers = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
moments = st.datetimes(
    datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=3, minutes=30))]
    )
)  # fmt: skip
amounts = st.integers(0, MAX_AMOUNT_MINOR)
currencies = st.from_regex(r"[A-Z]{3}", fullmatch=True)
envelope = {
    "event_id": identifiers, "tenant": identifiers, "customer_id": identifiers,
    "occurred_at": moments,
}  # fmt: skip
known = {**envelope, "known_at": moments, "source": st.sampled_from(["agent", "chargeback"])}
ticket = {**envelope, "ticket_id": identifiers}
money = st.fixed_dictionaries({"amount_minor": amounts, "currency": currencies})


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def model(kind: type[BaseModel], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[BaseModel]:
    return st.fixed_dictionaries(dict(fields)).map(kind.model_validate)


tickets = st.one_of(
    model(
        TicketOpened, **ticket, type=st.just("ticket.opened"), text=texts, subject=texts,
        language=maybe(st.sampled_from(["en", "zh", "zh-Hans", "gsw"])),
        amount_at_stake=maybe(money),
        transaction_ids=st.lists(identifiers, max_size=5).map(tuple),
    ),
    model(TicketMessage, **ticket, type=st.just("ticket.message"), text=texts),
    model(
        TicketStatusChanged, **ticket, type=st.just("ticket.status_changed"),
        status=st.sampled_from(["open", "on_hold", "resolved"]),
    ),
    model(
        TicketClosed, **ticket, type=st.just("ticket.closed"), resolution=maybe(identifiers)
    ),
)  # fmt: skip
transactions = model(
    Transaction, **envelope, transaction_id=identifiers, amount_minor=amounts, currency=currencies,
    outcome=st.sampled_from(["approved", "declined", "reversed"]),
    response_code=st.from_regex(r"[0-9A-Z]{2}", fullmatch=True),
    mcc=maybe(st.from_regex(r"[0-9]{4}", fullmatch=True).filter(str.isascii)),
    country=maybe(st.from_regex(r"[A-Z]{2}", fullmatch=True)),
    terminal_id=maybe(identifiers), device_id=maybe(identifiers), card=maybe(identifiers),
)  # fmt: skip
feedbacks = st.one_of(
    model(
        TicketFeedback, **known, type=st.just("feedback.ticket"), ticket_id=identifiers,
        category=maybe(identifiers), satisfaction=maybe(st.integers(1, 5)),
    ),
    model(
        TransactionFeedback, **known, type=st.just("feedback.transaction"),
        transaction_id=identifiers, is_fraud=st.booleans(), typology=maybe(identifiers),
    ),
    model(
        AlertFeedback, **known, type=st.just("feedback.alert"), alert_id=identifiers,
        verdict=st.sampled_from(["confirmed", "refuted", "inconclusive"]),
    ),
    model(
        PriorityOverride, **known, type=st.just("feedback.priority_override"),
        ticket_id=identifiers, priority=st.sampled_from(["P1", "P5"]), expires_at=moments,
    ),
)  # fmt: skip
anything = st.one_of(
    st.tuples(st.just(TICKET), tickets), st.tuples(st.just(TRANSACTION), transactions),
    st.tuples(st.just(FEEDBACK), feedbacks),
)  # fmt: skip


@given(anything)
def test_decode_inverts_encode(case: tuple[TypeAdapter[Any], BaseModel]) -> None:
    adapter, event = case
    assert decode(adapter, encode(dump(event))) == event


@given(anything, st.dictionaries(texts, st.none() | st.integers(-9, 9) | texts, max_size=3))
def test_decode_tolerates_unknown_fields(
    case: tuple[TypeAdapter[Any], BaseModel], extra: dict[str, Any]
) -> None:
    adapter, event = case
    new = {f"new_{name}": value for name, value in extra.items()}
    assert decode(adapter, encode({**dump(event), **new})) == event


@given(st.binary(max_size=200))
def test_decode_of_any_bytes_answers_or_says_why(raw: bytes) -> None:
    for adapter in (TICKET, TRANSACTION, FEEDBACK):
        with pytest.raises((MalformedError, RejectedError), match=r".+"):
            decode(adapter, raw)


PAYMENT: dict[str, Any] = {
    "event_id": "e", "customer_id": "c", "occurred_at": "2026-03-02T09:00:00Z",
    "transaction_id": "t", "amount_minor": 1250, "currency": "EUR",
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", "1250"),
        ("amount_minor", 12.5),
        ("amount_minor", -1),
        ("amount_minor", True),
        ("amount_minor", None),
        ("amount_minor", MAX_AMOUNT_MINOR + 1),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("currency", 978),
        ("customer_id", ""),
        ("customer_id", 17),
        ("customer_id", "x" * 129),
        ("event_id", None),
        ("occurred_at", "2026-03-02T09:00:00"),
        ("occurred_at", "yesterday"),
        ("outcome", "maybe"),
        ("response_code", "5"),
        ("mcc", 5411),
        ("country", "Germany"),
        ("type", "ticket.opened"),
    ],
)
def test_decode_refuses_wrong_types_and_names_the_field(field: str, value: object) -> None:
    with pytest.raises(RejectedError, match=f"^{field}: "):
        decode(TRANSACTION, encode({**PAYMENT, field: value}))


@pytest.mark.parametrize("field", sorted(PAYMENT))
def test_decode_refuses_a_missing_field_and_names_it(field: str) -> None:
    event = {name: value for name, value in PAYMENT.items() if name != field}
    with pytest.raises(RejectedError, match=f"^{field}: "):
        decode(TRANSACTION, encode(event))


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 5000, b'"\xed\xa0\x80"'],
)
def test_decode_calls_what_is_not_json_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedError, match="not JSON"):
        decode(TRANSACTION, raw)


def test_decode_refuses_an_unknown_type_of_ticket_event() -> None:
    event = {**PAYMENT, "type": "ticket.exploded", "ticket_id": "k"}
    with pytest.raises(RejectedError, match=r"ticket\.exploded"):
        decode(TICKET, encode(event))


@given(moments)
def test_occurred_at_is_kept_in_utc(when: datetime) -> None:
    raw = orjson.dumps({**PAYMENT, "occurred_at": when.isoformat()})
    event = decode(TRANSACTION, raw)
    assert event.occurred_at == when
    assert event.occurred_at.utcoffset() == timedelta(0)
