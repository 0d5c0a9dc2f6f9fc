from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_events import CUSTOMERS, PARTITION, PARTITION_COUNT, START_MS, event, raw, slice_of
from embedded_log import append, journal, kafka_settings

from models.learning import Learners
from streams.desk.cache import CacheBudget
from streams.desk.guard import DeadLetterLimit
from streams.desk.page import Identity
from streams.desk.partition import Decided, Partition
from streams.desk.store import PartitionStore
from streams.desk.takeover import take_over
from streams.embedded.broker import EmbeddedBroker
from streams.intake.batches import Raw
from streams.journal.acceptance import Reading
from streams.journal.writer import Writer
from streams.settings import KafkaSettings, TopicSettings
from streams.topics import create_topics

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as broker:
        create_topics(kafka_settings(broker.bootstrap), TopicSettings(partitions=16))
        yield broker.bootstrap


PARTITIONS = iter(range(16))


@pytest.fixture
def desk(bootstrap: str, tmp_path: Path) -> Iterator["Desks"]:
    desks = Desks(kafka_settings(bootstrap), next(PARTITIONS), tmp_path)
    yield desks
    desks.close()


class Owner:
    def __init__(self, identity: Identity, store: PartitionStore, kafka: KafkaSettings) -> None:
        self.identity = identity
        self.store = store
        self.writer = Writer(kafka)
        # keys belong to PARTITION of PARTITION_COUNT, wherever the journal lies
        seen = Identity(PARTITION, PARTITION_COUNT, 1, identity.epoch, identity.writer)
        limit = DeadLetterLimit(100, 100, 1.0)
        self.partition = Partition(seen, store, Learners(), b"key", 60_000, limit)

    def decide(self, *records: Raw) -> Decided:
        part = slice_of(records, self.partition.position.sources)
        return self.partition.decide(part, lambda: START_MS, None)

    def write(self, decided: Decided, count: int | None = None) -> list[int]:
        moved = [entry._replace(partition=self.identity.partition) for entry in decided.entries]
        return self.writer.append_now(moved[:count])

    def take(self, *records: Raw) -> None:
        decided = self.decide(*records)
        expected = self.store.position.journal_next
        offsets = self.write(decided)
        assert offsets == list(range(expected, expected + len(offsets)))
        self.store.commit(decided.position)


class Desks:
    """Workers that take the same partition over, each with its own directory."""

    def __init__(self, kafka: KafkaSettings, number: int, directory: Path) -> None:
        self.kafka = kafka
        self.number = number
        self.directory = directory
        self.budget = CacheBudget()
        self.owners: list[Owner] = []

    def take_over(self, name: str, wanted: Callable[[], bool] = lambda: True) -> Owner:
        taken = take_over(
            self.number,
            PARTITION_COUNT,
            1,
            path=self.directory / name,
            kafka=self.kafka,
            clock=lambda: START_MS,
            wanted=wanted,
            budget=self.budget,
        )
        assert taken is not None
        owner = Owner(*taken, self.kafka)
        assert owner.store.budget is self.budget
        self.owners.append(owner)
        return owner

    def journal(self) -> list[dict[str, Any]]:
        return journal(self.kafka, self.number)

    def close(self) -> None:
        for owner in self.owners:
            owner.store.close()


def payment(offset: int) -> Raw:
    return raw("transaction", offset, event("transaction", f"t{offset}", offset, CUSTOMERS[0]))


def contents(store: PartitionStore) -> dict[bytes, bytes]:
    return {bytes(key): bytes(value) for key, value in store._db.items()}


def rooms(store: PartitionStore) -> dict[bytes, bytes]:
    """All but the position, which knows the claims."""
    return {key: value for key, value in contents(store).items() if key != b"\x00"}


def accepted(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    reading, kept = Reading(), []
    for record in records:
        after = reading.accept(record)
        if after is not None:
            reading = after
            kept.append(record)
    return kept


def test_two_takers_in_a_row_continue_one_count(desk: Desks) -> None:
    first = desk.take_over("one")
    first.take(payment(0), payment(1))
    second = desk.take_over("two")
    assert second.identity.epoch == first.identity.epoch + 1
    assert second.store.position.sources == first.store.position.sources
    assert rooms(second.store) == rooms(first.store)
    second.take(payment(2))
    numbers = [r["number"] for r in accepted(desk.journal()) if r["kind"] != "claim"]
    assert numbers == [1, 2, 3, 4]  # the policy and three payments


def test_claim_that_a_rival_forestalled_is_made_again(
    desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have folded the same journal, so both claim the same epoch; one is first."""
    append_now = Writer.append_now
    claims: list[int] = []

    def late(writer: Writer, records: list[Any]) -> list[int]:
        claims.append(len(records))
        if len(claims) == 1:
            rival = {"v": 1, "kind": "claim", "epoch": 1, "writer": "rival", "at_ms": 0}
            append(desk.kafka, [rival], desk.number)
        return append_now(writer, records)

    monkeypatch.setattr("streams.desk.takeover.Writer.append_now", late)
    owner = desk.take_over("one")
    assert owner.identity.epoch == 2
    owner.take(payment(0))
    writers = [record["writer"] for record in accepted(desk.journal())]
    assert writers == ["rival", *[owner.identity.writer] * 3]


def test_record_that_came_before_the_claim_is_folded(
    desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former owner writes on until the moment at which the claim cuts it off."""
    former = desk.take_over("former")
    former.take(payment(0))
    append_now = Writer.append_now
    late = [former.decide(payment(1))]

    def cut_off(writer: Writer, records: list[Any]) -> list[int]:
        while late:
            former.write(late.pop())
        return append_now(writer, records)

    monkeypatch.setattr("streams.desk.takeover.Writer.append_now", cut_off)
    owner = desk.take_over("owner")
    assert owner.store.position.sources == {payment(0).topic: 2}
    owner.take(payment(2))
    answers = [r["source"]["offset"] for r in accepted(desk.journal()) if "source" in r]
    assert answers == [0, 1, 2]


def test_late_write_of_a_zombie_counts_for_nobody(desk: Desks) -> None:
    zombie = desk.take_over("zombie")
    zombie.take(payment(0))
    late = zombie.decide(payment(1), payment(2))
    owner = desk.take_over("owner")
    expected = zombie.store.position.journal_next
    assert zombie.write(late)[0] != expected  # by which the zombie knows
    decided = owner.decide(payment(1))
    assert owner.write(decided)[0] != owner.store.position.journal_next
    owner.store.close()  # thrown back: claimed again, whatever of it counts
    again = desk.take_over("owner")
    assert again.store.position.sources == {payment(0).topic: 2}
    fresh = desk.take_over("fresh")
    assert rooms(fresh.store) == rooms(again.store)
    answers = [r["source"]["offset"] for r in accepted(desk.journal()) if "source" in r]
    assert answers == [0, 1]


def test_half_acknowledged_batch_is_neither_lost_nor_repeated(desk: Desks) -> None:
    owner = desk.take_over("one")
    decided = owner.decide(*(payment(n) for n in range(4)))
    owner.write(decided, count=3)  # the policy and two payments, then the broker went away
    owner.partition.discard()
    assert owner.store.position.sources == {}
    owner.store.close()
    again = desk.take_over("one")
    assert again.store.position.sources == {payment(0).topic: 2}
    owner.write(Decided([], decided.entries[3:], decided.position))  # still under way: too late
    again.store.close()
    last = desk.take_over("one")
    last.take(payment(2), payment(3))
    answers = [r["source"]["offset"] for r in accepted(desk.journal()) if "source" in r]
    assert answers == [0, 1, 2, 3]


def test_lost_store_is_folded_anew_to_the_same_state(desk: Desks) -> None:
    owner = desk.take_over("one")
    owner.take(*(payment(n) for n in range(3)), raw("ticket", 0, event("ticket", "k1", 1)))
    again = desk.take_over("elsewhere")
    assert rooms(again.store) == rooms(owner.store)
    assert again.store.position.sources == owner.store.position.sources
    assert again.store.position.reading.number == owner.store.position.reading.number


def test_store_that_disagrees_with_the_log_is_folded_anew(desk: Desks) -> None:
    owner = desk.take_over("one")
    owner.take(payment(0))
    right = rooms(owner.store)
    decided = owner.decide(payment(1))
    owner.store.commit(decided.position)  # a state without its journal
    owner.store.close()
    append(desk.kafka, [{"kind": "claim", "epoch": 1, "writer": "x"}] * 3, desk.number)
    again = desk.take_over("one")
    assert rooms(again.store) == right
    assert again.store.position.sources == {payment(0).topic: 1}


def test_store_ahead_of_the_log_is_folded_anew(desk: Desks) -> None:
    owner = desk.take_over("one")
    owner.take(payment(0))
    right = rooms(owner.store)
    owner.store.commit(owner.decide(payment(1)).position)
    owner.store.close()
    assert rooms(desk.take_over("one").store) == right


def test_damaged_store_is_folded_anew(desk: Desks) -> None:
    owner = desk.take_over("one")
    owner.take(payment(0))
    right = rooms(owner.store)
    owner.store.close()
    for manifest in (desk.directory / "one").glob("MANIFEST-*"):
        manifest.write_bytes(b"rubbish")
    assert rooms(desk.take_over("one").store) == right


def test_partition_that_is_not_wanted_any_more_is_not_claimed(desk: Desks) -> None:
    path = desk.directory / "one"
    asked: list[bool] = []

    def wanted() -> bool:
        asked.append(True)
        return len(asked) < 2  # while the store is opened, not after

    taken = take_over(
        desk.number,
        PARTITION_COUNT,
        1,
        path=path,
        kafka=desk.kafka,
        clock=lambda: START_MS,
        wanted=wanted,
        budget=CacheBudget(),
    )
    assert taken is None
    assert desk.journal() == []
    PartitionStore(path).close()  # and its store is free
