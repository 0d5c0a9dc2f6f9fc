"""Real files as schedules, on small files of the same form."""

import gzip
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.codec import decode
from schemas.errors import RejectedError
from schemas.registry import SCHEMA_BY_TOPIC
from streams.simulator import filerows as module
from streams.simulator.files import files
from streams.simulator.schedule import Scheduled, Truth

START = date(2018, 7, 25)
START_S = 1_532_476_800
DAY_S = 86_400


def payment(number: int, ts: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number, "ts": ts, "customer_id": number % 7, "terminal_id": 100 + number % 3,
        "amount": 10.55, "is_fraud": int(number % 10 == 0), "scenario": 1, **fields,
    }  # fmt: skip


def lines(path: Path, rows: list[Any]) -> Path:
    raw = b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.fixture
def transactions(tmp_path: Path) -> Path:
    # from two days before the window until two days after its tenth day, 100 a day
    rows = [payment(n, START_S - 2 * DAY_S + n * 864) for n in range(1_400)]
    return lines(tmp_path / "transactions.jsonl.gz", rows)


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    rows = [
        {
            "id": f"x-{n}", "text": f"question {n}", "label": f"label-{n // 100}",
            "split": "train" if n < 300 else "test", "lang": "en",
        }
        for n in range(400)
    ]  # fmt: skip
    return lines(tmp_path / "tickets.jsonl.gz", rows)


def kinds(schedule: list[Scheduled]) -> Counter[str]:
    return Counter(orjson.loads(event.value)["type"] for event in schedule)


def test_files_come_in_order_decode_and_stay_in_the_window(
    tickets: Path, transactions: Path
) -> None:
    truth = Truth()
    schedule = list(files(tickets, transactions, START, 10, 1, truth=truth))
    times = [event.at_ms for event in schedule]
    assert times == sorted(times)
    assert times[0] >= START_S * 1000
    assert times[-1] < (START_S + 10 * DAY_S) * 1000
    for event in schedule:
        decoded = decode(SCHEMA_BY_TOPIC[event.topic], event.value)
        assert (decoded.customer_id, decoded.occurred_ms) == (event.key, event.at_ms)
    count = kinds(schedule)
    assert count["transaction"] == len(truth.transactions) == 1_000
    assert count["ticket.opened"] == len(truth.tickets) == 300
    assert 0.6 * 300 < count["feedback.ticket"] < 0.8 * 300
    assert count["ticket.closed"] > 250


def test_files_tell_of_frauds_after_seven_days_and_of_nothing_else(transactions: Path) -> None:
    truth = Truth()
    values = [
        orjson.loads(event.value) for event in files(None, transactions, START, 10, 1, truth=truth)
    ]
    happened = {v["transaction_id"]: v["occurred_at"] for v in values if v["type"] == "transaction"}
    labels = [v for v in values if v["type"] == "feedback.transaction"]
    assert len(labels) == 30  # of the first three days, ten a day
    for label in labels:
        assert label["is_fraud"] is True
        assert truth.transactions[label["transaction_id"]] is True
        before = happened[label["transaction_id"]]
        assert int(label["known_at"][8:10]) + 31 * (label["known_at"][5:7] == "08") == (
            int(before[8:10]) + 7
        )
        assert label["known_at"][10:] == before[10:]


def test_files_carry_transactions_as_they_are(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", [payment(4, START_S, amount=57.16)])
    (event,) = files(None, path, START, 1, 1)
    assert orjson.loads(event.value) == {
        "event_id": "hb-4", "customer_id": "4", "occurred_at": "2018-07-25T00:00:00.000Z",
        "type": "transaction", "transaction_id": "hb-4", "amount_minor": 5716, "currency": "EUR",
        "terminal_id": "101",
    }  # fmt: skip


def test_files_give_tickets_to_customers_of_the_transactions_shuffled_by_seed(
    tickets: Path, transactions: Path
) -> None:
    def opened(seed: int) -> list[tuple[str, str, int]]:
        return [
            (orjson.loads(event.value)["ticket_id"], event.key, event.at_ms)
            for event in files(tickets, transactions, START, 2, seed)
            if b"ticket.opened" in event.value
        ]

    first = opened(1)
    assert first == opened(1)
    assert first != opened(2)
    assert {customer for _, customer, _ in first} <= {str(n) for n in range(7)}
    numbers = [int(ticket_id.removeprefix("x-")) for ticket_id, _, _ in first]
    assert numbers != sorted(numbers)
    assert max(numbers) < 300


def test_files_limit_the_tickets(tickets: Path) -> None:
    assert kinds(list(files(tickets, None, START, 1, 1, tickets_total=40)))["ticket.opened"] == 40
    assert kinds(list(files(tickets, None, START, 1, 1, split=None)))["ticket.opened"] == 400


def test_files_give_most_tickets_by_day(tickets: Path) -> None:
    hours = Counter(
        event.at_ms // 3_600_000 % 24
        for event in files(tickets, None, START, 10, 1)
        if b"ticket.opened" in event.value
    )
    assert sum(hours[h] for h in range(10, 18)) > 2 * sum(hours[h] for h in (22, 23, *range(6)))


def test_files_put_slightly_unsorted_rows_in_order(tmp_path: Path) -> None:
    order = [3, 1, 2, 0, 4]
    path = lines(tmp_path / "t.jsonl", [payment(n, START_S + n) for n in order])
    found = [orjson.loads(e.value)["transaction_id"] for e in files(None, path, START, 1, 1)]
    assert found == [f"hb-{n}" for n in range(5)]


def test_files_refuse_rows_too_far_out_of_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AHEAD_ROWS", 3)
    rows = [payment(n, START_S + 100 + n) for n in range(6)] + [payment(9, START_S)]
    with pytest.raises(RejectedError, match=r"t\.jsonl, line 7: .*sort the file"):
        list(files(None, lines(tmp_path / "t.jsonl", rows), START, 1, 1))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (payment(1, START_S, amount=-1), "amount"),
        (payment(1, START_S, amount="12"), "amount"),
        (payment(1, START_S, is_fraud=2), "is_fraud"),
        (payment(1, START_S, customer_id=None), "customer_id"),
        (payment(1, -5), "ts"),
        (payment(1, 10**15), "ts"),
        (b'{"ts": 1532476800}', "id"),
    ],
)
def test_files_refuse_a_bad_transaction_with_file_and_line(
    tmp_path: Path, bad: Any, says: str
) -> None:
    path = lines(tmp_path / "t.jsonl", [payment(0, START_S), b"", bad])
    with pytest.raises(RejectedError, match=rf"^t\.jsonl, line 3: .*{says}"):
        list(files(None, path, START, 1, 1))


@pytest.mark.parametrize("missing", ["id", "text", "label"])
def test_files_refuse_a_bad_ticket_with_file_and_line(tmp_path: Path, missing: str) -> None:
    row = {"id": "1", "text": "a", "label": "b"}
    del row[missing]
    path = lines(tmp_path / "k.jsonl", [row])
    with pytest.raises(RejectedError, match=rf"^k\.jsonl, line 1: {missing}"):
        list(files(path, None, START, 1, 1))


def test_files_refuse_what_is_not_gzip(tmp_path: Path) -> None:
    path = tmp_path / "k.jsonl.gz"
    path.write_bytes(b"plain text")
    with pytest.raises(RejectedError, match=r"k\.jsonl\.gz.*not gzip"):
        list(files(path, None, START, 1, 1))
