from collections.abc import Iterator

import pytest
from journal_samples import (
    FEEDBACK,
    JOURNAL,
    TICKETS,
    TRANSACTIONS,
    dead,
    duplicate,
    empty,
    feedback,
    land,
    migrated,
    policy,
    rows_of,
    tick,
    ticket,
    transaction,
)

from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.projection import Rows
from sinks.queries import Reconciliation, counts, journal_gaps, physical, reconcile
from sinks.sink import Range
from sinks.tables import TABLES


@pytest.fixture(scope="module")
def tables(engine: EmbeddedClickHouse) -> Iterator[Warehouse]:
    with migrated(engine, "queries") as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(tables: Warehouse) -> Warehouse:
    empty(tables)
    return tables


def test_counts_name_every_table(warehouse: Warehouse) -> None:
    nothing = {table.name: 0 for table in TABLES}
    assert counts(warehouse) == nothing
    assert physical(warehouse) == nothing


def test_counts_are_distinct_and_physical_shows_repeats(warehouse: Warehouse) -> None:
    land(warehouse, policy(1), ticket(2, 0), digest="a")
    land(warehouse, policy(1), ticket(2, 0), digest="b")
    assert {name: n for name, n in counts(warehouse).items() if n} == {
        "journal_entries": 2, "ticket_decisions": 1, "priority_changes": 1,
    }  # fmt: skip
    assert {name: n for name, n in physical(warehouse).items() if n} == {
        "journal_entries": 4, "ticket_decisions": 2, "priority_changes": 2,
    }  # fmt: skip


def test_reconcile_agrees_when_every_position_is_answered_once(warehouse: Warehouse) -> None:
    land(
        warehouse, policy(1), ticket(2, 0), dead(3, TICKETS, 1), duplicate(4, TICKETS, 2),
        transaction(5, 0), feedback(6, 0), tick(7),
    )  # fmt: skip
    ends = {(TICKETS, 0): 3, (TRANSACTIONS, 0): 1, (FEEDBACK, 0): 1, (TICKETS, 1): 0}
    accounts = reconcile(warehouse, ends)
    assert [each.topic for each in accounts] == [FEEDBACK, TRANSACTIONS, TICKETS]
    assert all(each.agrees for each in accounts)
    assert accounts[2] == Reconciliation(TICKETS, 0, 3, 1, 1, 1, 0, 0, 0, 0)
    assert reconcile(warehouse) == accounts
    assert journal_gaps(warehouse) == {0: 0}


def test_reconcile_catches_a_missing_position(warehouse: Warehouse) -> None:
    land(warehouse, ticket(1, 0), ticket(2, 1), ticket(4, 3))
    (account,) = reconcile(warehouse)
    assert (account.in_count, account.missing_count, account.agrees) == (3, 1, False)
    assert journal_gaps(warehouse) == {0: 1}


def test_reconcile_catches_a_missing_end_if_told_where_the_log_ends(warehouse: Warehouse) -> None:
    land(warehouse, ticket(1, 1), ticket(2, 2))
    assert reconcile(warehouse)[0].agrees
    tickets, transactions = sorted(
        reconcile(warehouse, {(TICKETS, 0): 5, (TRANSACTIONS, 3): 2}), key=lambda one: -one.in_count
    )
    assert (tickets.missing_count, tickets.agrees) == (3, False)
    assert transactions == Reconciliation(TRANSACTIONS, 3, 0, 0, 0, 0, 2, 0, 0, 0)
    assert not transactions.agrees


def test_reconcile_catches_a_doubled_position(warehouse: Warehouse) -> None:
    land(warehouse, ticket(1, 0), ticket(2, 1), ticket(3, 1))
    (account,) = reconcile(warehouse)
    assert (account.in_count, account.doubled_count, account.agrees) == (2, 1, False)


def test_reconcile_catches_a_position_answered_in_two_ways(warehouse: Warehouse) -> None:
    land(warehouse, ticket(1, 0), dead(2, TICKETS, 0))
    (account,) = reconcile(warehouse)
    assert (account.in_count, account.decided_count, account.dead_count) == (1, 1, 1)
    assert not account.agrees


@pytest.mark.parametrize("lost", ["ticket_decisions", "dead_letters"])
def test_reconcile_catches_an_entry_whose_row_did_not_land(warehouse: Warehouse, lost: str) -> None:
    rows: Rows = rows_of(ticket(1, 0), dead(2, TICKETS, 1))
    source = Range(JOURNAL, 0, 1, 3, "d")
    for name, columns in rows.tables():
        if name != lost:
            warehouse.insert(name, columns, source.token(name, rows.row_count))
    (account,) = reconcile(warehouse)
    assert (account.unlanded_count, account.agrees) == (1, False)


def test_reconcile_forgives_repeats_and_shows_them(warehouse: Warehouse) -> None:
    land(warehouse, ticket(1, 0), ticket(2, 1), digest="a")
    land(warehouse, ticket(2, 1), digest="b")
    (account,) = reconcile(warehouse)
    assert (account.repeated_row_count, account.agrees) == (1, True)
