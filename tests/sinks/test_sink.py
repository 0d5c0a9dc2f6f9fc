import socket
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_samples import (
    DAY_MS,
    JOURNAL,
    START_MS,
    TICKETS,
    alert,
    answers,
    change,
    dead,
    duplicate,
    empty,
    feedback,
    figure,
    lesson,
    migrated,
    policy,
    question,
    record,
    rows_of,
    tick,
    ticket,
    transaction,
)

from schemas.errors import IncompatibleError, UnavailableError
from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.projection import Rows
from sinks.queries import counts, physical
from sinks.sink import Range, Sink
from sinks.tables import TABLES


@pytest.fixture(scope="module")
def tables(engine: EmbeddedClickHouse) -> Iterator[Warehouse]:
    with migrated(engine, "sink") as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(tables: Warehouse) -> Warehouse:
    empty(tables)
    return tables


RECORDS = [
    policy(1),
    ticket(2, 0, effects=[change(2, "T1", "P2"), question(2, "T1", 1)]),
    transaction(3, 0, effects=[change(3, "T1", "P1"), alert(3, 1)]),
    feedback(4, 0, is_fraud=True, satisfaction=4, override_until_ms=START_MS), tick(5),
    dead(6, TICKETS, 1), duplicate(7, TICKETS, 2), transaction(8, 1, risk=None, features={}),
]  # fmt: skip


def all_rows() -> Rows:
    rows = rows_of(*RECORDS)
    rows.add_lesson(lesson(), partition=0, offset=11, appended_ms=START_MS)
    rows.add_lesson(
        lesson(task="risk", label=False, scores={"risk": 0.5}, amount_minor=1250),
        partition=0, offset=12, appended_ms=START_MS,
    )  # fmt: skip
    rows.add_quality(figure(), partition=0, offset=3, appended_ms=START_MS)
    return rows


def plain(value: Any) -> Any:
    """A value as the projection gives it: times as milliseconds, arrays as lists."""
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1000)
    return list(value) if isinstance(value, tuple) else value


def position(row: list[Any]) -> list[Any]:
    """What no two rows of a table share: every table's columns begin with it."""
    return row[:3]


def test_rows_read_back_as_the_projection_made_them(warehouse: Warehouse) -> None:
    rows = all_rows()
    assert {name for name, _ in rows.tables()} == {table.name for table in TABLES}
    Sink(warehouse).write(Range(JOURNAL, 0, 0, 9, "d"), rows)
    for name, columns in rows.tables():
        _, found = warehouse.table(f"SELECT {', '.join(columns)} FROM {name}")
        read = sorted(([plain(value) for value in row] for row in found), key=position)
        assert read == sorted(map(list, zip(*columns.values(), strict=True)), key=position), name


def test_write_tells_the_rows_of_each_table(warehouse: Warehouse) -> None:
    rows = all_rows()
    written = Sink(warehouse).write(Range(JOURNAL, 0, 0, 9, "d"), rows)
    assert sum(written.values()) == rows.row_count
    assert {name: n for name, n in physical(warehouse).items() if n} == written
    assert counts(warehouse) == physical(warehouse)


def test_write_without_rows_asks_nothing_of_the_warehouse() -> None:
    nowhere = Warehouse("127.0.0.1", 1)
    assert Sink(nowhere).write(Range(JOURNAL, 0, 0, 9, "d"), Rows()) == {}


def test_same_range_twice_lands_once(warehouse: Warehouse) -> None:
    sink, source = Sink(warehouse), Range(JOURNAL, 0, 0, 9, "d")
    sink.write(source, all_rows())
    before = physical(warehouse)
    sink.write(source, all_rows())
    assert physical(warehouse) == before


def test_range_written_half_is_completed_by_the_same_range(warehouse: Warehouse) -> None:
    rows, source = all_rows(), Range(JOURNAL, 0, 0, 9, "d")
    for name, columns in list(rows.tables())[:3]:
        warehouse.insert(name, columns, source.token(name, rows.row_count))
    Sink(warehouse).write(source, rows)
    assert physical(warehouse) == counts(warehouse)
    assert sum(physical(warehouse).values()) == rows.row_count


@pytest.mark.parametrize("lost", [table.name for table in TABLES])
def test_rows_whose_token_alone_is_remembered_are_inserted_again(
    warehouse: Warehouse, lost: str
) -> None:
    sink, source = Sink(warehouse), Range(JOURNAL, 0, 0, 9, "d")
    sink.write(source, all_rows())
    before = counts(warehouse)
    warehouse.execute(f"DELETE FROM {lost} WHERE 1")
    assert counts(warehouse)[lost] == 0
    sink.write(source, all_rows())
    assert counts(warehouse)[lost] == 0  # the token is remembered
    sink.write(source, all_rows(), again=True)
    assert counts(warehouse) == before


def test_rows_that_are_there_are_not_inserted_again(warehouse: Warehouse) -> None:
    sink, source = Sink(warehouse), Range(JOURNAL, 0, 0, 9, "d")
    sink.write(source, all_rows())
    before = physical(warehouse)
    sink.write(source, all_rows(), again=True)
    assert physical(warehouse) == before


def test_other_content_of_the_same_range_is_not_taken_for_a_repeat() -> None:
    one = Range(JOURNAL, 0, 0, 9, "d")
    others = [
        (Range(JOURNAL, 0, 0, 9, "e"), "alerts", 3), (Range(JOURNAL, 0, 0, 8, "d"), "alerts", 3),
        (Range(JOURNAL, 0, 1, 9, "d"), "alerts", 3), (Range(JOURNAL, 1, 0, 9, "d"), "alerts", 3),
        (Range("other", 0, 0, 9, "d"), "alerts", 3), (one, "lessons", 3), (one, "alerts", 4),
    ]  # fmt: skip
    tokens = {one.token("alerts", 3)} | {each.token(table, n) for each, table, n in others}
    assert len(tokens) == len(others) + 1


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.lists(st.integers(1, 7), max_size=3, unique=True), min_size=2, max_size=3))
def test_other_batch_limits_collapse_to_the_same_rows(
    warehouse: Warehouse, cuts: list[list[int]]
) -> None:
    empty(warehouse)
    sink = Sink(warehouse)
    sink.write(Range(JOURNAL, 0, 0, 9, "whole"), rows_of(*RECORDS))
    once = counts(warehouse)
    for each in cuts:
        bounds = [0, *sorted(each), len(RECORDS)]
        for start, end in pairwise(bounds):
            part = RECORDS[start:end]
            sink.write(Range(JOURNAL, 0, start, end, f"{start}-{end}"), rows_of(*part))
    assert counts(warehouse) == once
    assert physical(warehouse)["journal_entries"] >= once["journal_entries"]


def test_repeats_collapse_for_good_when_parts_merge(warehouse: Warehouse) -> None:
    for digest in ("a", "b", "c"):
        Sink(warehouse).write(Range(JOURNAL, 0, 0, 9, digest), rows_of(*RECORDS))
    assert physical(warehouse)["journal_entries"] == 3 * len(RECORDS)
    warehouse.execute("OPTIMIZE TABLE journal_entries FINAL")
    assert physical(warehouse)["journal_entries"] == len(RECORDS)


def test_event_times_of_any_age_land_in_one_insert(warehouse: Warehouse) -> None:
    ages = [transaction(n, n, occurred_ms=START_MS - n * 31 * DAY_MS) for n in range(1, 251)]
    first, last = -62_135_596_800_000, 253_402_300_799_000
    far = [transaction(251, 251, occurred_ms=first), transaction(252, 252, occurred_ms=last)]
    Sink(warehouse).write(Range(JOURNAL, 0, 0, 253, "d"), rows_of(*ages, *far))
    assert counts(warehouse)["transaction_decisions"] == 252
    (part_count,) = warehouse.execute(
        "SELECT count() FROM system.parts WHERE active AND table = 'transaction_decisions' "
        "AND database = %(database)s",
        {"database": warehouse.database},
    )[0]
    assert part_count == 1


def test_hostile_text_lands_as_it_is(warehouse: Warehouse) -> None:
    hostile = "'); DROP TABLE alerts; -- \\ \0 \n {database} %(x)s 银行卡 😀"
    Sink(warehouse).write(
        Range(JOURNAL, 0, 1, 2, "d"),
        rows_of(ticket(1, 0, event_id=hostile, category=hostile, features={hostile: 1.0})),
    )
    assert answers(warehouse, "SELECT event_id, category, features FROM ticket_decisions") == [
        {"event_id": hostile, "category": hostile, "features": {hostile: 1.0}}
    ]


def test_warehouse_away_says_try_again_and_loses_nothing(warehouse: Warehouse) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = Warehouse("127.0.0.1", closed.getsockname()[1], "sink", connect_timeout_s=1.0)
        rows, source = all_rows(), Range(JOURNAL, 0, 0, 9, "d")
        with pytest.raises(UnavailableError):
            Sink(away).write(source, rows)
    Sink(warehouse).write(source, rows)
    assert sum(counts(warehouse).values()) == rows.row_count


def test_value_that_no_column_takes_halts(warehouse: Warehouse) -> None:
    broken = rows_of(transaction(1, 0, score="high"))
    with pytest.raises(IncompatibleError):
        Sink(warehouse).write(Range(JOURNAL, 0, 1, 2, "d"), broken)


def test_entry_without_time_or_policy_lands(warehouse: Warehouse) -> None:
    bare = record("policy", 1, content={})
    for name in ("policy", "core", "decided_ms"):
        del bare[name]
    Sink(warehouse).write(Range(JOURNAL, 0, 1, 2, "d"), rows_of(bare))
    assert answers(warehouse, "SELECT policy, occurred_at, decided_at FROM journal_entries") == [
        {"policy": "", "occurred_at": None, "decided_at": None}
    ]


def test_batch_without_any_reason_or_feature_lands(warehouse: Warehouse) -> None:
    bare = ticket(
        1, 0, categories=[], category_reasons=[], urgency_reasons=[], tickets=[], features={}
    )
    Sink(warehouse).write(Range(JOURNAL, 0, 1, 2, "d"), rows_of(bare))
    assert answers(
        warehouse, "SELECT categories, category_reason_names, features FROM ticket_decisions"
    ) == [{"categories": {}, "category_reason_names": [], "features": {}}]
