"""The simulated company: same seed, same bytes; plausible; never trivial."""

import re
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from models.masking_patterns import mask_text
from schemas.codec import decode
from schemas.registry import SCHEMA_BY_TOPIC
from streams.simulator.company import company
from streams.simulator.phrasebook import CATEGORIES
from streams.simulator.phrases_en import ENGLISH
from streams.simulator.phrases_zh import CHINESE
from streams.simulator.schedule import Scheduled, Truth
from streams.simulator.writing import Writer, card_number

ROOT = Path(__file__).parents[2]
START_MS = 1_767_225_600_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def run() -> tuple[list[Scheduled], Truth]:
    truth = Truth()
    return list(company(11, 12_000, START_MS, truth=truth)), truth


@pytest.fixture(scope="module")
def values(run: tuple[list[Scheduled], Truth]) -> list[dict[str, Any]]:
    return [orjson.loads(event.value) for event in run[0]]


def fingerprint(seed: int) -> str:
    total = sha256()
    for event in company(seed, 1_500, START_MS):
        total.update(f"{event.at_ms} {event.topic} {event.key} ".encode() + event.value)
    return total.hexdigest()


def test_company_gives_other_bytes_for_another_seed() -> None:
    assert fingerprint(1) != fingerprint(2)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_company_gives_the_same_bytes_in_any_process(hash_seed: str) -> None:
    here = "tests.streams.test_simulator_company"
    code = f"from {here} import fingerprint; print(fingerprint(5), end='')"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": hash_seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == fingerprint(5)


def test_company_gives_exactly_so_many_events_in_order(
    run: tuple[list[Scheduled], Truth],
) -> None:
    events, _ = run
    assert len(events) == 12_000
    times = [event.at_ms for event in events]
    assert times == sorted(times)
    assert times[0] >= START_MS
    assert 10 * DAY_MS < times[-1] - START_MS < 14 * DAY_MS


def test_company_events_decode_and_carry_key_and_time(run: tuple[list[Scheduled], Truth]) -> None:
    ids = set()
    for event in run[0]:
        decoded = decode(SCHEMA_BY_TOPIC[event.topic], event.value)
        assert decoded.customer_id == event.key
        assert decoded.occurred_ms == event.at_ms
        ids.add(decoded.event_id)
    assert len(ids) == len(run[0])


@pytest.mark.parametrize("events", [1, 50])
def test_company_can_be_tiny(events: int) -> None:
    assert len(list(company(3, events, START_MS))) == events


def test_company_has_a_plausible_share_of_each_kind_of_fraud(
    run: tuple[list[Scheduled], Truth],
) -> None:
    truth = run[1]
    frauds = sum(truth.transactions.values())
    assert 0.005 < frauds / len(truth.transactions) < 0.03
    kinds = Counter(truth.typologies.values())
    assert set(kinds) == {
        "card_testing", "stolen_card", "compromised_terminal", "account_takeover",
    }  # fmt: skip
    assert sum(kinds.values()) == frauds


def test_company_changes_the_fraud_pattern_half_way() -> None:
    truth = Truth()
    tested: dict[bool, list[bool]] = {False: [], True: []}
    for event in company(2, 20_000, START_MS, fraud_share=0.1, truth=truth):
        value = orjson.loads(event.value)
        if truth.typologies.get(value.get("transaction_id", "")) == "card_testing":
            late = event.at_ms > START_MS + 7 * DAY_MS
            if value["type"] == "transaction":
                tested[late].append(value["outcome"] == "declined")
    declined = {late: sum(found) / len(found) for late, found in tested.items()}
    assert declined[False] > 2 * declined[True]


def test_company_has_one_outage_with_tickets_about_it(
    run: tuple[list[Scheduled], Truth], values: list[dict[str, Any]]
) -> None:
    down = [v for v in values if v.get("response_code") == "96"]
    assert down
    assert len({v["region"] for v in down}) == 1
    assert len({v["occurred_at"][:10] for v in down}) == 1
    about = [
        v for v in values
        if v["type"] == "ticket.opened" and run[1].tickets[v["ticket_id"]] == "service_outage"
    ]  # fmt: skip
    assert len(about) >= 5
    assert min(v["occurred_at"] for v in about) > down[0]["occurred_at"][:10] + "T08:00"


def test_company_tickets_are_varied_bilingual_and_linked(
    run: tuple[list[Scheduled], Truth], values: list[dict[str, Any]]
) -> None:
    opened = [v for v in values if v["type"] == "ticket.opened"]
    assert len({v["text"] for v in opened}) > 0.97 * len(opened)
    assert {"en", "zh"} <= {v.get("language") for v in opened}
    linked = {i for v in opened for i in v.get("transaction_ids", ())}
    assert len(linked) > 0.1 * len(opened)
    assert linked <= set(run[1].transactions)
    shares = Counter(run[1].tickets[v["ticket_id"]] for v in opened)
    assert set(shares) == set(CATEGORIES)
    assert max(shares.values()) < 0.3 * len(opened)


def test_company_feedback_is_late_partial_and_sometimes_wrong(
    run: tuple[list[Scheduled], Truth], values: list[dict[str, Any]]
) -> None:
    truth = run[1]
    opened = {v["ticket_id"]: v["occurred_at"] for v in values if v["type"] == "ticket.opened"}
    labels = [v for v in values if v["type"] == "feedback.ticket" and "category" in v]
    assert 0.5 < len(labels) / len(opened) < 0.65
    assert all(v["known_at"] > opened[v["ticket_id"]] for v in labels)
    wrong = sum(v["category"] != truth.tickets[v["ticket_id"]] for v in labels)
    assert 0 < wrong < 0.08 * len(labels)
    moods = [v for v in labels if "mood" in v]
    assert 0.4 < len(moods) / len(labels) < 0.6
    assert {v["mood"] for v in moods} == {"angry", "unhappy", "neutral", "pleased"}
    assert 0.9 < sum(v["mood"] == truth.moods[v["ticket_id"]] for v in moods) / len(moods) < 1
    verdicts = [v for v in values if v["type"] == "feedback.transaction"]
    right = sum(v["is_fraud"] == truth.transactions[v["transaction_id"]] for v in verdicts)
    assert right > 0.9 * len(verdicts)
    assert {v["is_fraud"] for v in verdicts} == {True, False}


@pytest.mark.parametrize("book", [ENGLISH, CHINESE], ids=lambda book: book.language)
def test_writer_fills_every_phrase_of_its_book(book: Any) -> None:
    writer = Writer(book, Random(1))
    assert set(book.cores) == set(book.details) == set(CATEGORIES)
    phrases = [p for group in (*book.cores.values(), *book.details.values()) for p in group]
    phrases += [*book.vague, *book.greetings, *book.asks, *book.angry, *book.unhappy]
    phrases += [
        *book.pleased,
        *book.pressing,
        *book.patient,
        *book.signoffs,
        *book.private,
        *book.agent,
        *book.replies,
    ]
    for phrase in phrases:
        text = writer.message((phrase,), {})
        assert not set("[]{}|") & set(text)


@pytest.mark.parametrize("book", [ENGLISH, CHINESE], ids=lambda book: book.language)
def test_writer_writes_numbers_that_are_masked(book: Any) -> None:
    writer = Writer(book, Random(2))
    slots = ("{pan}", "{phone}", "{email}", "{iban}", "{id_number}")
    phrases = tuple(phrase for phrase in book.private if any(slot in phrase for slot in slots))
    for _ in range(200):
        masked = mask_text(writer.message(phrases, {}))
        assert not re.search(r"@|\d[\d -]{6,}", masked)


def test_card_number_has_a_right_check_digit() -> None:
    rng = Random(1)
    for _ in range(50):
        digits = [int(digit) for digit in reversed(card_number(rng, " ").replace(" ", ""))]
        doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
        assert (sum(digits[::2]) + doubled) % 10 == 0
