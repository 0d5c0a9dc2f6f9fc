"""Dead letters without a broker: what they say, which are meant, what is shown of them."""

import json
from datetime import UTC, datetime

import pytest
from desk_events import (
    CUSTOMERS,
    PARTITION,
    PARTITION_COUNT,
    START_MS,
    TOPIC_BY_KIND,
    customers,
    event,
)
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import moment
from schemas.codec import decode_json, encode
from schemas.errors import RejectedError
from schemas.registry import INPUTS, MAX_EVENT_BYTES, TICKETS, TRANSACTIONS, dead_topic
from streams.deadletters.letters import Letter, Place, read_letter
from streams.deadletters.payload import printable, printable_json, show_payload
from streams.deadletters.plan import Plan
from streams.deadletters.redrive import copy_of, note_of
from streams.deadletters.selection import Selection, read_moment
from streams.deadletters.tally import tally
from streams.deadletters.trial import MAX_BYTES, Trial, Verdict
from streams.desk.admission import Admission
from streams.desk.guard import Refusal
from streams.intake.batches import Raw

PAYMENTS = TOPIC_BY_KIND["transaction"]
ELSEWHERE = customers(PARTITION + 1, 1)[0]
KEY = CUSTOMERS[0].encode()


def letter(
    value: bytes | None = b"{",
    key: bytes | None = KEY,
    *,
    offset: int = 0,
    topic: str = PAYMENTS,
    failed_ms: int = START_MS,
    why: Refusal | None = None,
) -> Letter:
    """A letter as the desk writes it and the reader reads it."""
    admission = Admission(PARTITION, PARTITION_COUNT, b"key")
    refusal = why or Refusal("decode", "MalformedError", "not JSON")
    out = admission.dead_letter(Raw(0, topic, offset, key, value), refusal, failed_ms)
    found = read_letter(out.topic, out.partition, out.key, out.value, out.headers)
    assert found is not None
    return found


# -- what they say ------------------------------------------------------------------------------


def test_letter_is_read_as_the_desk_wrote_it() -> None:
    why = Refusal("envelope", "RejectedError", "pas de clé")
    found = letter(b"\xff", None, offset=7, failed_ms=START_MS + 5, why=why)
    assert found.place == (PAYMENTS, PARTITION, 7)
    assert (found.stage, found.error, found.message) == ("envelope", "RejectedError", "pas de clé")
    assert (found.key, found.value, found.size_bytes) == (None, b"\xff", 1)
    assert found.failed_ms == START_MS + 5
    assert not found.is_note


def test_note_is_read_as_a_note_of_its_letter() -> None:
    first = letter(offset=7)
    out = note_of(first, moment(START_MS), f"{PAYMENTS}/2/9")
    note = read_letter(out.topic, out.partition, out.key, out.value, out.headers)
    assert note is not None
    assert note.is_note
    assert (note.place, note.redriven_to) == (first.place, f"{PAYMENTS}/2/9")
    assert out.value is None
    assert (out.topic, out.partition) == (dead_topic(PAYMENTS), PARTITION)


@pytest.mark.parametrize(
    "change",
    [
        {"riverdesk_offset": b"x"},
        {"riverdesk_offset": "²".encode()},
        {"riverdesk_partition": b"3"},
        {"riverdesk_topic": TICKETS.name.encode()},
        {"riverdesk_topic": b"\xff"},
        {"riverdesk_failed_at": b"yesterday"},
        {"riverdesk_stage": None},
    ],
)
def test_record_with_other_headers_is_no_letter(change: dict[str, bytes | None]) -> None:
    headers = dict(letter().headers) | change
    kept = [(name, content) for name, content in headers.items() if content is not None]
    assert read_letter(dead_topic(PAYMENTS), PARTITION, KEY, b"{", kept) is None


@pytest.mark.parametrize(
    "text", ["", "a/0/0", f"{PAYMENTS}/0", f"{PAYMENTS}/-1/0", f"{PAYMENTS}/0/٣"]
)
def test_position_is_refused_where_none_can_stand(text: str) -> None:
    with pytest.raises(RejectedError, match="is no position"):
        Place.parse(text)


def test_position_is_read_as_it_is_written() -> None:
    place = Place(PAYMENTS, 3, 4711)
    assert Place.parse(str(place)) == place


# -- which are meant ----------------------------------------------------------------------------


def test_moment_is_a_date_or_how_long_ago() -> None:
    march = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
    assert read_moment("2026-03-02", 0) == march
    assert read_moment("2026-03-02T09:30:00+02:00", 0) == march + 27_000_000
    assert read_moment("2026-03-02T09:30:00Z", 0) == march + 34_200_000
    assert read_moment("90s", 100_000) == 10_000
    assert read_moment("2d", 200_000_000) == 27_200_000
    for text in ("", "soon", "-1h", "1w", "2026-13-01", "٣h"):
        with pytest.raises(RejectedError, match="no moment"):
            read_moment(text, 0)


def test_selection_takes_what_meets_every_condition() -> None:
    one = letter(offset=5)
    assert Selection().takes(one)
    assert Selection(PAYMENTS, "decode", "MalformedError", START_MS, START_MS + 1).takes(one)
    for other in (
        Selection(topic=TICKETS.name),
        Selection(stage="size"),
        Selection(error="RejectedError"),
        Selection(since_ms=START_MS + 1),
        Selection(until_ms=START_MS),
        Selection(places={Place(PAYMENTS, PARTITION, 6)}),
    ):
        assert not other.takes(one)


def test_selection_reads_no_more_topics_than_it_must() -> None:
    assert Selection().topics == tuple(topic.name for topic in INPUTS)
    assert Selection(topic=TICKETS.name).topics == (TICKETS.name,)
    placed = Selection(places={Place(PAYMENTS, 2, 6)})
    assert placed.topics == (PAYMENTS,)
    assert placed.may_be_in(PAYMENTS, 2)
    assert not placed.may_be_in(PAYMENTS, 1)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 12))
def test_tally_counts_all_and_keeps_the_newest(times_ms: list[int], limit: int) -> None:
    found = [letter(offset=n, failed_ms=START_MS + ms) for n, ms in enumerate(times_ms)]
    sent = {one.place for one in found[::3]}
    made = tally(iter(found), sent, limit)
    newest = sorted(found, key=lambda one: (one.failed_ms, one.place), reverse=True)[:limit]
    assert [one.place for one in made.newest] == [one.place for one in newest]
    assert all(one.value is None and one.size_bytes == 1 for one in made.newest)
    assert made.letter_count == len(found)
    assert sum(count.open_count for count in made.counts.values()) == len(found) - len(sent)
    for count in made.counts.values():
        assert (count.first_ms, count.last_ms) == (
            START_MS + min(times_ms),
            START_MS + max(times_ms),
        )


# -- what is shown ------------------------------------------------------------------------------

CARD = "4111111111111111"


@pytest.mark.parametrize(
    "value",
    [
        b'{"text": "my card is 4111 1111 1111 1111"}',
        b'{"card": 4111111111111111}',
        b'{"deep": [{"amount": 4111111111111111}]}',
        b'{"card": "4111111111111111", "device_id": "4111111111111111"}',
        b'{"4111111111111111": 1}',
        b'{"text": "\\u0034111111111111111"}',
        b'{"text": "card 4111111111111111',
        b"\xff card 4111111111111111",
        '{"card": "4111111111111111"}'.encode("utf-16"),
        b'{"text": "' + b"x " * 40_000 + b'4111111111111111"}',
        b"x" * 7_990 + b" 4111111111111111",
        b"[" * 900 + b"4111111111111111" + b"]" * 900,
    ],
)
def test_shown_payload_holds_no_card_number(value: bytes) -> None:
    shown = show_payload(value, b"key")
    digits = "".join(each for each in shown if each.isdigit())
    assert CARD[:8] not in digits


def test_shown_payload_keeps_what_may_be_seen() -> None:
    value = {"event_id": "e1", "amount_minor": 2_000, "ok": True, "none": None, "text": "我的卡"}
    assert json.loads(show_payload(encode(value), b"key")) == value
    assert show_payload(None, b"key") == "(no value)"
    assert show_payload(b'{"device_id": "d-7"}', b"key") == show_payload(
        b'{"device_id":"d-7"}', b"key"
    )
    assert "d-7" not in show_payload(b'{"device_id": "d-7"}', b"key")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_shown_payload_cannot_command_a_terminal(value: bytes) -> None:
    for payload in (value, b'{"text": "\\u001b[2J"}' + value, json.dumps(value.hex()).encode()):
        shown = show_payload(payload, b"key")
        assert all(each.isprintable() or each in "\n\u3000" for each in shown)


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\x07", "\u202e", "\u2028", "\r"])
def test_hostile_characters_are_escaped(hostile: str) -> None:
    assert hostile not in printable(f"a{hostile}b")
    assert hostile not in show_payload(json.dumps({"text": hostile}).encode(), b"key")
    assert hostile not in show_payload(b"no JSON: " + hostile.encode(), b"key")


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_printable_json_has_the_same_content(content: dict[str, str]) -> None:
    shown = printable_json(encode(content))
    assert shown.isprintable()
    assert decode_json(shown.encode()) == content


# -- would it be admitted now -------------------------------------------------------------------

GOOD = event("transaction", "t1", 1)
ABROAD = event("transaction", "t1", 1, ELSEWHERE)
LATER_MS = START_MS + 3_600_000


def judge(value: bytes | None, key: bytes | None, from_payload: bool = False) -> Verdict:
    return Trial(PARTITION_COUNT, b"key", from_payload).judge(letter(value, key), LATER_MS)


def test_letter_of_the_wrong_partition_goes_to_the_right_one() -> None:
    verdict = judge(ABROAD, ELSEWHERE.encode())
    assert verdict == (ELSEWHERE.encode(), PARTITION + 1, None, True)


def test_letter_without_a_key_needs_that_of_its_payload() -> None:
    assert judge(GOOD, None).refusal is not None
    assert judge(GOOD, None, from_payload=True) == (KEY, PARTITION, None, True)
    assert judge(GOOD, b"other").refusal is not None
    assert judge(GOOD, b"other", from_payload=True) == (KEY, PARTITION, None, True)
    assert judge(b"{", b"other", from_payload=True).key == b"other"


def test_letter_from_the_future_passes_when_its_time_has_come() -> None:
    ahead = event("transaction", "t1", 66)
    trial = Trial(PARTITION_COUNT, b"key", False)
    assert trial.judge(letter(ahead), LATER_MS - 1).refusal == Refusal(
        "decide", "RejectedError", "its time is more than 5 minutes ahead"
    )
    assert trial.judge(letter(ahead), LATER_MS + 60_000).refusal is None


@pytest.mark.parametrize(
    ("value", "stage"),
    [
        (b"{", "decode"),
        (None, "decode"),
        (b'{"event_id":"x"}', "decode"),
        (b" " * (MAX_EVENT_BYTES + 1), "size"),
    ],
)
def test_letter_that_is_still_wrong_is_refused_as_the_desk_would(
    value: bytes | None, stage: str
) -> None:
    refusal = judge(value, KEY).refusal
    assert refusal is not None
    assert refusal.stage == stage


def test_plan_leaves_out_what_would_be_refused_unless_forced() -> None:
    found = [letter(GOOD), letter(b"{", offset=1), letter(None, offset=2)]
    found.append(letter(b"x" * (MAX_BYTES[PAYMENTS] + 1), offset=3))
    for force, sent in ((False, [0]), (True, [0, 1, 2])):
        plan = Plan(Trial(PARTITION_COUNT, b"key", False), LATER_MS, force)
        assert [one.place.offset for one, _ in plan.to_send(found)] == sent
        assert (plan.to_send_count, plan.refused_count) == (len(sent), 3)
        assert plan.oversize_count == force


def test_copy_has_the_original_bytes_and_says_where_they_stood() -> None:
    first = letter(ABROAD, ELSEWHERE.encode(), offset=8)
    copy = copy_of(first, judge(ABROAD, ELSEWHERE.encode()), moment(START_MS))
    assert (copy.topic, copy.partition) == (TRANSACTIONS.name, PARTITION + 1)
    assert (copy.key, copy.value) == (ELSEWHERE.encode(), ABROAD)
    assert dict(copy.headers)["riverdesk_redriven_from"] == str(first.place).encode()
