import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.masking import mask, tokenise
from models.masking_patterns import is_luhn, mask_text
from schemas.codec import decode
from schemas.tickets import TICKET
from schemas.transactions import TRANSACTION

KEY = b"secret"


def card(digits: str) -> str:
    return next(digits + str(check) for check in range(10) if is_luhn(digits + str(check)))


cards = st.from_regex(r"[3-6][0-9]{11,17}", fullmatch=True).map(card)
gaps = st.sampled_from(["", " ", "-", "\u00a0", "."])
around = st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=20)


@st.composite
def spread_cards(draw: st.DrawFn) -> str:
    digits, gap, size = draw(cards), draw(gaps), draw(st.integers(2, 6))
    return gap.join(digits[i : i + size] for i in range(0, len(digits), size))


@given(around, spread_cards(), around)
def test_no_card_number_survives(before: str, number: str, after: str) -> None:
    masked = mask_text(before + number + after)
    for row in re.findall(r"\d(?:[ \u00a0.\-]?\d){12,18}", masked):
        digits = re.sub(r"\D", "", row)
        assert not is_luhn(digits)


@given(
    st.lists(
        st.one_of(
            around,
            spread_cards(),
            st.sampled_from(
                [
                    "password: ", "PIN is ", "验证码", "+44 20 7946 0958", "13812345678", "a@b.de",
                    "DE89370400440532013000", "110101199003078515", "1234", "=", ":", " ", "x9",
                ]
            ),
        ),
        max_size=8,
    ).map("".join)
)  # fmt: skip
def test_masked_text_is_unchanged_by_masking_again(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("card 4111-1111-1111-1111.", "card <card>."),
        ("two: 4111111111111111 5500 0000 0000 0004", "two: <card> <card>"),
        ("pay to DE89 3704 0044 0532 0130 00 please", "pay to <iban> please"),
        ("write to jo.doe+x@mail.example.org!", "write to <email>!"),
        ("call +44 20 7946 0958 or 13812345678", "call <phone> or <phone>"),
        ("call 010-12345678 or (555) 123-4567", "call <phone> or <phone>"),
        ("身份证110101199003078515，密码是abc123", "身份证<id>，密码是<secret>"),
        ("my one-time code is 493811", "my one-time code is <secret>"),
        ("Password: swordfish", "Password: <secret>"),
        ("４１１１１１１１１１１１１１１１", "<card>"),
    ],
)
def test_personal_data_is_replaced(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "paid 120.50 EUR on 2018-08-08 at 10:22:11, order 1234567",
        "how do I reset my password please?",
        "the pin pad is broken",
        "ticket 4111111111111112 is not a card",
        "spin 1234 times",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert mask_text(text) == text


def payment(**fields: object) -> bytes:
    import orjson

    return orjson.dumps(
        {
            "event_id": "e",
            "customer_id": "c",
            "occurred_at": "2026-01-01T00:00:00Z",
            "transaction_id": "t",
            "amount_minor": 1,
            "currency": "EUR",
            **fields,
        }
    )


def test_devices_cards_and_identifiers_become_stable_tokens() -> None:
    event = decode(
        TRANSACTION,
        payment(device_id="phone-1", card="4111 1111 1111 1111", merchant_id="4111111111111111"),
    )
    masked = mask(event, KEY)
    assert masked.card == masked.merchant_id == tokenise("4111111111111111", KEY)
    assert masked.device_id == tokenise("phone-1", KEY) != tokenise("phone-1", b"other")
    assert "4111" not in masked.model_dump_json()
    assert mask(masked, KEY) is masked


def test_token_of_a_card_from_a_producer_stays() -> None:
    event = decode(TRANSACTION, payment(card="card_9f3", event_id="8c0f4d1e-1111-4222-8333-1"))
    assert mask(event, KEY) is event


def test_texts_and_named_transactions_of_tickets_are_masked() -> None:
    raw = (
        b'{"type":"ticket.opened","event_id":"e","customer_id":"c","ticket_id":"k",'
        b'"occurred_at":"2026-01-01T00:00:00Z","subject":"card 4111111111111111",'
        b'"text":"mail a@b.de","transaction_ids":["4111111111111111","t"]}'
    )
    masked = mask(decode(TICKET, raw), KEY)
    assert masked.model_dump()["subject"] == "card <card>"
    assert masked.model_dump()["text"] == "mail <email>"
    assert masked.model_dump()["transaction_ids"] == (tokenise("4111111111111111", KEY), "t")
