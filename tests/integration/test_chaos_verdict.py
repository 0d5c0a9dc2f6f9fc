"""A verdict that cannot find damage is worth nothing: each kind of damage is done, and found."""

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.masking import mask
from schemas.codec import decode, decode_json, dump, encode
from schemas.errors import UnavailableError
from schemas.registry import (
    ALERTS,
    JOURNAL,
    LESSONS,
    PRIORITIES,
    QUALITY_TOPIC,
    QUESTIONS,
    SCHEMA_BY_TOPIC,
    TICKETS,
    TRANSACTIONS,
    dead_topic,
)
from sinks.readback import sorting_key
from sinks.tables import QUALITY_FIELDS, Table
from sinks.tables import TABLES as ALL_TABLES
from streams.chaos.verdict.compare import compare
from streams.chaos.verdict.journal import PLACES
from streams.chaos.verdict.logs import KafkaLogs, Stood
from streams.chaos.verdict.stores import compare_stores, compare_with_fold
from streams.chaos.verdict.tables import compare_columns
from streams.chaos.verdict.verdict import Findings
from streams.desk.store import PartitionStore
from streams.journal.writer import Outgoing, Writer
from streams.stack.stack import Stack
from streams.warehouse import open_warehouse
from tests.integration.support import PARTITIONS, START_MS, embedded_stack
from tests.integration.verdict_case import Case, altered, make_case

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

EVENTS = 600


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("verdict")
    with embedded_stack(directory, {"tick_interval_ms": 1_000}) as running:
        yield running


@pytest.fixture(scope="module")
def whole(stack: Stack) -> Case:
    return make_case(stack, EVENTS)


@pytest.fixture
def case(whole: Case) -> Case:
    return whole.copy()


def plain(record: Any) -> bool:
    """Tell a decision that nothing follows from and nothing else refers to."""
    return record["kind"] == "transaction" and not record["effects"]


def on_journal(case: Case, wanted: Callable[[Any], bool], **changes: Any) -> Any:
    """Alter the last such record of the journal."""
    records, index, value = case.logs.find(JOURNAL.name, wanted, last=True)
    records[index] = altered(records[index], **changes)
    return value


# -- nothing wrong --------------------------------------------------------------------------------


def test_whole_load_is_found_whole(stack: Stack, whole: Case) -> None:
    verdict = compare(stack.settings, PARTITIONS, whole.published, whole.statuses)
    assert verdict.counts == {}
    assert verdict.clean
    report = verdict.as_json()
    assert report["events_in"] == whole.published.count == sum(verdict.events_in_by_topic.values())
    assert [report[key] for key in ("lost", "duplicated", "differing")] == [0, 0, 0]
    assert report["dead_letters"] == 10 + 2 * 5 + 2 * 3 + 7
    names = {"ticket_decisions", "transaction_decisions", "feedback_decisions", "ticks", "lessons",
             "journal_entries", "dead_letters", "alerts", "priority_changes",
             "questions"}  # fmt: skip
    for place in {f"warehouse.{name}" for name in names} | {
        "inputs", "journal", "alerts", "priorities", "questions", "lessons", "quality",
        "dead_letters", "status",
    }:  # fmt: skip
        assert verdict.compared[place] > 0, place
    assert verdict.compared["revisions"] > 2


def test_copy_in_memory_is_found_whole(case: Case) -> None:
    assert case.counts() == {}
    kinds = {decode_json(s.value or b"")["kind"] for p in range(PARTITIONS)
             for s in case.logs.read(JOURNAL.name, p)}  # fmt: skip
    assert kinds >= {"ticket", "transaction", "feedback", "tick", "dead", "duplicate", "policy"}


# -- inputs ---------------------------------------------------------------------------------------


def test_input_that_the_broker_lost_is_found(case: Case) -> None:
    records = case.logs.places[TRANSACTIONS.name, 0]
    case.published.note(TRANSACTIONS.name, 0, len(records) + 5, b"k", b"v")
    assert case.counts() == {"lost inputs": 1}
    assert case.verdict().events_in == case.published.count


def test_answer_to_an_input_that_is_gone_is_found(case: Case) -> None:
    source = case.logs.find(JOURNAL.name, plain, last=True)[2]["source"]
    del case.logs.places[source["topic"], source["partition"]][source["offset"]]
    assert case.counts() == {"lost inputs": 1, "duplicated journal": 1}


def test_input_with_other_bytes_than_acknowledged_is_found(case: Case) -> None:
    source = case.logs.find(JOURNAL.name, plain, last=True)[2]["source"]
    records = case.logs.places[source["topic"], source["partition"]]
    stood = records[source["offset"]]
    records[source["offset"]] = stood._replace(value=(stood.value or b"") + b" ")
    assert case.counts() == {"differing inputs": 1}  # the same JSON: the decision stands


def test_position_acknowledged_twice_is_found(case: Case) -> None:
    stood = case.logs.places[TICKETS.name, 1][0]
    case.published.note(TICKETS.name, 1, 0, stood.key, stood.value)
    assert case.counts() == {"differing inputs": 1}


def test_input_that_nobody_answered_is_found(case: Case) -> None:
    records = case.logs.places[TICKETS.name, 2]
    records.append(records[0]._replace(offset=len(records)))  # nobody acknowledged it either
    assert case.counts() == {"lost journal": 1}


# -- journal --------------------------------------------------------------------------------------


def append(case: Case, like: Callable[[Any], bool], **changes: Any) -> None:
    """Append a copy of a record to its journal partition, with the next number."""
    records, _, value = case.logs.find(JOURNAL.name, like, last=True)
    numbers = [decode_json(s.value or b"").get("number", 0) for s in records]
    epochs = [decode_json(s.value or b"")["epoch"] for s in records]
    value |= {"number": max(numbers) + 1, "epoch": max(epochs), **changes}
    records.append(records[-1]._replace(offset=records[-1].offset + 1, value=encode(value)))


def without_warehouse(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if "warehouse" not in name}


def test_second_answer_is_found(case: Case) -> None:
    append(case, plain)
    case.statuses.clear()
    assert without_warehouse(case.counts()) == {"duplicated journal": 1}


def test_late_write_of_a_replaced_owner_is_no_fault(case: Case) -> None:
    append(case, plain, epoch=0)
    assert case.counts() == {"repeated journal": 1}
    assert case.verdict().clean


def test_lost_end_of_the_journal_is_found(case: Case) -> None:
    records, index, _ = case.logs.find(JOURNAL.name, plain, last=True)
    lost = [decode_json(stood.value or b"") for stood in records[index:]]
    del records[index:]
    case.statuses.clear()
    counts = without_warehouse(case.counts())
    assert counts["lost journal"] == sum("source" in record for record in lost)
    assert counts.get("duplicated priorities", 0) == sum(
        effect["topic"] == PRIORITIES.name for record in lost for effect in record["effects"]
    )


def test_hole_in_the_journal_is_found(case: Case) -> None:
    records, index, _ = case.logs.find(JOURNAL.name, plain)
    after = len(records) - index - 1
    del records[index]
    case.statuses.clear()
    counts = case.counts()
    assert counts["repeated journal"] == after  # no reader accepts them
    assert counts["lost journal"] > 1


def neighbours(case: Case) -> tuple[list[Stood], int, int]:
    """Give two plain answers to one topic, decided with the same learners."""
    for partition in range(PARTITIONS):
        records = case.logs.places[JOURNAL.name, partition]
        last: dict[tuple[str, int], int] = {}
        for index, stood in enumerate(records):
            if plain(record := decode_json(stood.value or b"")):
                group = record["source"]["topic"], record["learner"]["revision"]
                if group in last:
                    return records, last[group], index
                last[group] = index
    raise AssertionError("the load gave no such pair")


def test_swapped_answers_are_found(case: Case) -> None:
    records, early, late = neighbours(case)
    numbers = [decode_json(records[index].value or b"")["number"] for index in (early, late)]
    moved = altered(records[late], number=numbers[0]), altered(records[early], number=numbers[1])
    records[early] = moved[0]._replace(offset=records[early].offset)
    records[late] = moved[1]._replace(offset=records[late].offset)
    case.statuses.clear()
    assert without_warehouse(case.counts()) == {"differing journal": 1}


def test_decision_about_other_content_is_found(case: Case) -> None:
    records, index, value = case.logs.find(JOURNAL.name, plain, last=True)
    event = value["event"] | {"merchant_id": "somebody else"}
    records[index] = altered(records[index], event=event)
    assert without_warehouse(case.counts()) == {"differing journal": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_id": "somebody else"},
        {"event_id": "another"},
        {"occurred_ms": 1},
        {"kind": "feedback", "decision": None},
        {"policy": "0" * 32},
        {"learner": {"revision": 0, "digest": "0" * 32}},
        {"learner": {"revision": 1 << 40, "digest": "1" * 32}},
    ],
    ids=str,
)
def test_forged_part_of_a_record_is_found(case: Case, changes: Any) -> None:
    def fits(record: Any) -> bool:
        return plain(record) and record["learner"]["revision"] > 0

    if changes.get("kind") == "feedback":
        donor = case.logs.find(JOURNAL.name, lambda r: r["kind"] == "feedback")[2]
        changes = changes | {"decision": donor["decision"]}
    on_journal(case, fits, **changes)
    counts = without_warehouse(case.counts())
    assert counts.keys() == {"differing journal"}
    if changes.get("learner", {}).get("revision", 0) == 0:
        assert counts["differing journal"] == 1  # else what follows goes back, too


def test_forged_publishing_time_is_found(case: Case) -> None:
    records, index, value = case.logs.find(JOURNAL.name, plain, last=True)
    source = value["source"] | {"published_ms": value["source"]["published_ms"] + 1}
    records[index] = altered(records[index], source=source)
    assert without_warehouse(case.counts()) == {"differing journal": 1}


def test_journal_key_that_is_not_the_inputs_is_found(case: Case) -> None:
    records, index, _ = case.logs.find(JOURNAL.name, plain, last=True)
    records[index] = records[index]._replace(key=b"another")
    assert case.counts() == {"differing journal": 1}


def test_learners_that_are_not_the_lessons_fold_are_found(case: Case) -> None:
    revisions = {
        record["learner"]["revision"]
        for partition in range(PARTITIONS)
        for stood in case.logs.read(JOURNAL.name, partition)
        if "learner" in (record := decode_json(stood.value or b""))
    }
    newest = max(revisions)
    for partition in range(PARTITIONS):
        records = case.logs.places[JOURNAL.name, partition]
        for index, stood in enumerate(records):
            learner = decode_json(stood.value or b"").get("learner")
            if learner and learner["revision"] == newest:
                records[index] = altered(stood, learner=learner | {"digest": "1" * 32})
    case.statuses.clear()
    assert without_warehouse(case.counts())["differing journal"] == 1


def test_two_digests_of_one_revision_are_found(case: Case) -> None:
    records, _, late = neighbours(case)
    learner = decode_json(records[late].value or b"")["learner"]
    records[late] = altered(records[late], learner=learner | {"digest": "1" * 32})
    assert without_warehouse(case.counts()) == {"differing journal": 1}


def test_time_that_goes_back_is_found(case: Case) -> None:
    tick = case.logs.find(JOURNAL.name, lambda record: record["kind"] == "tick")[2]
    append(case, lambda record: record == tick, tick_ms=1, effects=[], learner=None)
    case.statuses.clear()
    assert without_warehouse(case.counts()) == {"differing journal": 1}


def test_wrong_first_position_of_a_duplicate_is_found(case: Case) -> None:
    on_journal(case, lambda r: r["kind"] == "duplicate", first=f"{TICKETS.name}/0/99999")
    assert without_warehouse(case.counts()) == {"differing journal": 1}


def test_repeated_event_that_was_decided_again_is_found(case: Case) -> None:
    def repeated(record: Any) -> bool:
        return record["kind"] == "duplicate" and record["first"].startswith(TRANSACTIONS.name)

    records, index, again = case.logs.find(JOURNAL.name, repeated)
    first = next(
        record
        for stood in records[:index]
        if (record := decode_json(stood.value or b"")).get("event_id") == again["event_id"]
    )
    kept = {name: again[name] for name in ("source", "number", "epoch", "writer")}
    effects: list[Any] = []
    records[index] = records[index]._replace(
        value=encode(
            first | kept | {"effects": effects, "learner": _learner_before(records, index)}
        )
    )
    assert without_warehouse(case.counts()) == {"duplicated journal": 1}


def _learner_before(records: list[Stood], index: int) -> Any:
    return next(
        record["learner"]
        for stood in reversed(records[:index])
        if "learner" in (record := decode_json(stood.value or b""))
    )


def test_event_said_to_be_a_duplicate_that_is_none_is_found(case: Case) -> None:
    def alone(record: Any) -> bool:
        return plain(record) and all(
            other.get("event_id") != record["event_id"] or other["kind"] != "duplicate"
            for partition in range(PARTITIONS)
            for stood in case.logs.read(JOURNAL.name, partition)
            for other in [decode_json(stood.value or b"")]
        )

    on_journal(case, alone, kind="duplicate", first=f"{TRANSACTIONS.name}/0/0")
    assert without_warehouse(case.counts()) == {"differing journal": 1}


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        ({"class": "RejectedError", "stage": "decode", "message": "no"}, "differing journal"),
        ({"class": "RejectedError", "stage": "decide", "message": "no"}, "differing journal"),
        ({"class": "KeyError", "stage": "decide", "message": "no"}, "unconfirmed journal"),
    ],
)
def test_fit_input_that_was_given_up_on_is_found(case: Case, error: Any, finding: str) -> None:
    on_journal(case, plain, kind="dead", error=error, bytes=1)
    assert without_warehouse(case.counts()) == {finding: 1, "lost dead_letters": 1}


def test_dead_entry_with_another_reason_is_found(case: Case) -> None:
    for stage in ("decode", "decide"):  # refused by admission, and by the core's rules of time
        other = {"class": "RejectedError", "stage": stage, "message": "something else"}
        on_journal(case, lambda r, s=stage: r.get("error", {}).get("stage") == s, error=other)
    counts = without_warehouse(case.counts())
    assert counts == {"differing journal": 2, "differing dead_letters": 2}


@pytest.mark.parametrize("stage", ["decode", "decide"])
def test_decision_about_what_must_be_refused_is_found(case: Case, stage: str) -> None:
    def refused(record: Any) -> bool:
        return bool(
            record["kind"] == "dead"
            and record["error"]["stage"] == stage
            and record["source"]["topic"] == TRANSACTIONS.name
        )

    records, index, dead = case.logs.find(JOURNAL.name, refused, last=True)
    source = dead["source"]
    donor = next(r for s in records if plain(r := decode_json(s.value or b"") | {"effects": []}))
    forged = donor | {name: dead[name] for name in ("source", "number", "epoch", "writer")}
    forged |= {"learner": _learner_before(records, index)}
    if stage == "decide":
        raw = case.logs.places[source["topic"], source["partition"]][source["offset"]].value
        key = case.settings.masking_key.get_secret_value().encode()
        event = mask(decode(SCHEMA_BY_TOPIC[source["topic"]], raw or b""), key)
        forged |= {"event": dump(event), "occurred_ms": event.occurred_ms,
                   "customer_id": event.customer_id, "event_id": event.event_id}  # fmt: skip
    records[index] = records[index]._replace(value=encode(forged))
    counts = without_warehouse(case.counts())
    assert counts == {"differing journal": 1, "duplicated dead_letters": 1}


# -- what people and learners read ----------------------------------------------------------------


def test_forged_effect_id_is_found(case: Case) -> None:
    records, index, value = case.logs.find(
        JOURNAL.name, lambda r: r.get("effects") and r["effects"][0]["topic"] == PRIORITIES.name
    )
    value["effects"][0]["value"]["id"] = "0/0/0"
    records[index] = altered(records[index], effects=value["effects"])
    case.statuses.clear()
    counts = without_warehouse(case.counts())
    assert counts == {"differing journal": 1, "differing priorities": 1}


def test_effect_for_a_topic_that_is_none_is_found(case: Case) -> None:
    def fits(record: Any) -> bool:
        return any(effect["topic"] == PRIORITIES.name for effect in record.get("effects", ()))

    records, index, value = case.logs.find(JOURNAL.name, fits, last=True)
    moved = [effect for effect in value["effects"] if effect["topic"] == PRIORITIES.name]
    for effect in moved:
        effect["topic"] = TICKETS.name
    records[index] = altered(records[index], effects=value["effects"])
    case.statuses.clear()
    assert without_warehouse(case.counts()) == {
        "differing journal": len(moved), "duplicated priorities": len(moved),
    }  # fmt: skip


@pytest.mark.parametrize(
    "topic",
    [ALERTS.name, PRIORITIES.name, QUESTIONS.name, LESSONS.name, QUALITY_TOPIC.name],
)
def test_damage_to_an_output_topic_is_found(whole: Case, topic: str) -> None:
    where = PLACES[topic]

    def damaged(damage: Callable[[list[Stood]], None]) -> dict[str, int]:
        case = whole.copy()
        damage(case.logs.find(topic, last=True)[0])
        return {n: count for n, count in case.counts().items() if n.endswith(f" {where}")}

    def add_and_drop(records: list[Stood]) -> None:
        last = records[-1]
        for distance, changes in enumerate(
            ({}, {"id": "0/999999/0"}, {"id": "nonsense"}, {"id": "0/1/-1"}), 2
        ):
            records.append(altered(last, **changes)._replace(offset=last.offset + distance))
        del records[0]

    def alter(records: list[Stood]) -> None:
        records[-1] = altered(records[-1], tenant="somebody else")

    def rekey(records: list[Stood]) -> None:
        records[-1] = records[-1]._replace(key=b"" if records[-1].key is None else None)

    assert damaged(add_and_drop) in (
        {f"duplicated {where}": 4, f"lost {where}": 1},
        {f"duplicated {where}": 3},  # where the dropped one and the repeated one are the same
    )
    assert damaged(alter) == {f"differing {where}": 1}
    assert damaged(rekey) == {f"differing {where}": 1}


def test_swapped_outputs_are_found(case: Case) -> None:
    records = next(
        records
        for (topic, _), records in case.logs.places.items()
        if topic == PRIORITIES.name and len(records) > 1
    )
    ids = [decode_json(stood.value or b"")["id"].split("/")[0] for stood in records]
    late = next(index for index in range(1, len(ids)) if ids[index] == ids[index - 1])
    first, second = records[late - 1 : late + 1]
    records[late - 1 : late + 1] = [
        second._replace(offset=first.offset), first._replace(offset=second.offset),
    ]  # fmt: skip
    assert case.counts() == {"differing priorities": 1}


def test_output_on_another_partition_than_its_keys_is_found(case: Case) -> None:
    records, index, _ = case.logs.find(ALERTS.name)
    stood = records.pop(index)
    there = next(p for p in range(PARTITIONS) if case.logs.places[ALERTS.name, p] is not records)
    case.logs.places[ALERTS.name, there].insert(0, stood)
    assert case.counts() == {"differing alerts": 1}


# -- dead letters ---------------------------------------------------------------------------------


def letters(case: Case) -> list[Stood]:
    name = dead_topic(TRANSACTIONS.name)
    return next(r for (topic, _), r in case.logs.places.items() if topic == name and r)


def test_missing_letter_is_found(case: Case) -> None:
    letters(case).pop()
    assert case.counts() == {"lost dead_letters": 1}


def test_letter_with_other_bytes_or_reason_is_found(case: Case) -> None:
    records = letters(case)
    whole = records[-1]
    records[-1] = whole._replace(value=(whole.value or b"") + b" ")
    assert case.counts() == {"differing dead_letters": 1}
    records[-1] = whole._replace(key=None)
    assert case.counts() == {"differing dead_letters": 1}
    records[-1] = whole._replace(headers={**whole.headers, "riverdesk_message": b"else"})
    assert case.counts() == {"differing dead_letters": 1}


def test_letter_of_an_input_that_is_gone_is_said_once(case: Case) -> None:
    source = case.logs.find(JOURNAL.name, lambda r: r["kind"] == "dead")[2]["source"]
    del case.logs.places[source["topic"], source["partition"]][source["offset"]]
    assert case.counts() == {"lost inputs": 1, "duplicated journal": 1}


def test_letter_without_an_entry_is_found_and_a_repeat_is_no_fault(case: Case) -> None:
    records = letters(case)
    records.append(records[-1]._replace(offset=records[-1].offset + 1))
    assert case.counts() == {"repeated dead_letters": 1}
    assert case.verdict().clean
    for headers in ({}, {**records[-1].headers, "riverdesk_offset": b"99999"}):
        records[-1] = records[-1]._replace(headers=headers)
        assert case.counts() == {"duplicated dead_letters": 1}


# -- warehouse ------------------------------------------------------------------------------------

TABLES = (
    "journal_entries", "ticket_decisions", "transaction_decisions", "feedback_decisions", "ticks",
    "dead_letters", "alerts", "priority_changes", "questions", "lessons", "quality",
)  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_damage_to_any_column_of_a_table_is_found(whole: Case, name: str) -> None:
    table = next(table for table in ALL_TABLES if table.name == name)
    columns = whole.tables.some(name)
    key = sorting_key(table)

    def found(there: dict[str, list[Any]]) -> Findings:
        findings = Findings()
        compare_columns(table, columns, there, findings)
        return findings

    assert not found(columns).counts
    assert not found({n: copy.deepcopy(values) for n, values in columns.items()}).counts
    for column, values in columns.items():
        other = {"other": 1.0} if isinstance(values[-1], dict) else "other"
        findings = found({**columns, column: [*values[:-1], other]})
        if column in key:
            assert {kind: sum(n.values()) for kind, n in findings.counts.items()} == {
                "lost": 1, "duplicated": 1,
            }  # fmt: skip
        else:
            assert findings.counts == {"differing": {f"warehouse.{name}": 1}}
            assert column in findings.examples[f"warehouse.{name}: differing"][0]
    assert found({n: values[1:] for n, values in columns.items()}).counts == {
        "lost": {f"warehouse.{name}": 1}
    }
    assert found({n: [*values, values[-1]] for n, values in columns.items()}).counts == {
        "duplicated": {f"warehouse.{name}": 1}
    }
    if len(columns[key[0]]) > 1:
        backwards = {n: values[::-1] for n, values in columns.items()}
        assert found(backwards).counts == {"differing": {f"warehouse.{name}": 1}}


def test_numbers_that_are_none_are_equal_but_to_nothing_else() -> None:
    table, nan = Table("t", ("p", "n", "x")), float("nan")
    for left, right, equal in (
        (nan, float("nan"), True), ({"a": nan}, {"a": float("nan")}, True), (nan, 0.0, False),
        ([nan], (float("nan"),), True), ([1.0], [1.0, 2.0], False), ({"a": 1}, {"b": 1}, False),
    ):  # fmt: skip
        findings = Findings()
        row = {"p": [0], "n": [1]}
        compare_columns(table, {**row, "x": [left]}, {**row, "x": [right]}, findings)
        assert (not findings.counts) is equal


def test_rows_that_no_record_gives_are_found(case: Case) -> None:
    case.tables.drop("ticks", 0)
    for name in ("lessons", "alerts"):
        for column, values in case.tables.some(name).items():
            far = column in ("number", "lesson_offset")
            values.append(values[-1] + 1000 if far else values[-1])
    case.tables.surplus["transaction_decisions"] = 3  # of a partition that does not exist
    case.tables.repeats["feedback_decisions"] = 2
    assert case.counts() == {
        "lost warehouse.ticks": 1,
        "duplicated warehouse.lessons": 1,
        "duplicated warehouse.alerts": 1,
        "duplicated warehouse.transaction_decisions": 3,
        "repeated warehouse.feedback_decisions": 2,
    }


def test_report_that_is_on_its_topic_alone_is_found(case: Case) -> None:
    figure = {**dict.fromkeys(QUALITY_FIELDS.values(), 1), "id": "0/9999/0"}
    records = case.logs.places[QUALITY_TOPIC.name, 0]
    records.append(Stood(records[-1].offset + 1, START_MS, b"risk", encode(figure)))
    assert case.counts() == {"lost warehouse.quality": 1, "duplicated quality": 1}


def test_rows_are_compared_in_chunks(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.chaos.verdict.tables.CHUNK_RECORDS", 7)
    assert case.counts() == {}
    case.tables.drop("journal_entries", 20)
    assert case.counts() == {"lost warehouse.journal_entries": 1}


# -- desks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", ["epoch", "number", "journal_next", "sources", "tick_ms", "policy"]
)
def test_desk_that_stands_elsewhere_is_found(case: Case, field: str) -> None:
    partition = case.statuses[0]["partitions"]["1"]
    others: dict[str, Any] = {"sources": {TICKETS.name: 1}, "policy": "0" * 32}
    partition[field] = others[field] if field in others else partition[field] + 1
    assert case.counts() == {"differing status": 1}


def test_partition_without_owner_or_with_two_is_found(case: Case) -> None:
    partitions = case.statuses[0]["partitions"]
    case.statuses.append(case.statuses[0] | {"worker": "b", "partitions": {"1": partitions["1"]}})
    del partitions["2"]
    assert case.counts() == {"lost status": 1, "duplicated status": 1}


def test_desks_with_other_learners_are_found(case: Case) -> None:
    learner = case.logs.find(JOURNAL.name, plain, last=True)[2]["learner"]
    case.statuses[0] |= {"revision": learner["revision"], "digest": "1" * 32}
    assert case.counts() == {"differing status": 1}  # the journal names this revision too
    case.statuses[0]["revision"] = 1 << 40
    assert case.counts() == {"differing journal": 1}  # the lessons do not go so far


def _store_with_an_agenda(directory: Path) -> tuple[Path, list[bytes]]:
    """Path and keys of a partition's store where something waits for its time.

    Which partition has one depends on what the learners made of the tickets so far.
    """
    for path in sorted((directory / "partitions").iterdir()):
        looked_at = PartitionStore(path, read_only=True)
        keys = [key for key, _ in looked_at.items()]
        looked_at.close()
        if any(key.startswith(b"\x01") for key in keys):
            return path, keys
    raise AssertionError("no partition has an agenda")


def test_stores_are_the_fold_and_damage_to_them_is_found(stack: Stack, whole: Case) -> None:
    verdict = compare_stores(stack.settings, PARTITIONS, whole.directories)
    assert verdict.counts == {}
    assert verdict.compared["stores"] > EVENTS
    path, items = _store_with_an_agenda(whole.directories[0])

    def first(prefix: bytes) -> bytes:
        return next(key for key in items if key.startswith(prefix))

    def damaged(put: dict[bytes, bytes | None]) -> dict[Any, Any]:
        store = PartitionStore(path)
        kept = {key: store._db.get(key) for key in put}
        _put(store, put)
        try:
            return dict(compare_with_fold(whole.logs, PARTITIONS, whole.directories).counts)
        finally:
            _put(PartitionStore(path), kept)

    def _put(store: PartitionStore, values: dict[bytes, bytes | None]) -> None:
        for key, value in values.items():
            if value is None:
                store._db.delete(key)
            else:
                store._db.put(key, value)
        store.close()

    agenda = first(b"\x01")
    room = first(b"\x02customer")
    assert damaged({agenda: None}) == {"lost": {"stores": 1}}
    assert damaged({room: b"{}"}) == {"differing": {"stores": 1}}
    assert damaged({room + b"x": b"{}"}) == {"duplicated": {"stores": 1}}
    assert damaged({}) == {}
    shorter = whole.copy()
    del shorter.logs.places[JOURNAL.name, int(path.name)][-1]  # the store is ahead of the log
    assert compare_with_fold(shorter.logs, PARTITIONS, whole.directories).differing > 0
    nobody = compare_with_fold(whole.logs, PARTITIONS, [Path("/nowhere")])
    assert nobody.counts == {"lost": {"stores": PARTITIONS}}
    assert verdict.joined(nobody).lost == PARTITIONS


def test_store_with_damaged_files_is_no_fault_but_said(whole: Case, tmp_path: Path) -> None:
    for name in ("worker-1", "worker-2", "worker-3"):
        shutil.copytree(whole.directories[0], tmp_path / name)
    path = tmp_path / "worker-2" / "partitions" / "0"
    store = PartitionStore(path)  # recovery writes its log out into a table file
    store.close()
    table = max(path.glob("*.sst"), key=lambda each: each.stat().st_size)
    content = bytearray(table.read_bytes())
    at = len(content) // 2
    content[at : at + 64] = bytes(64)
    table.write_bytes(content)
    (tmp_path / "worker-3" / "partitions" / "1" / "CURRENT").write_bytes(b"nonsense")
    verdict = compare_with_fold(whole.logs, PARTITIONS, sorted(tmp_path.iterdir()))
    assert verdict.counts.pop("unconfirmed") == {"stores": 2}  # type: ignore[attr-defined]
    assert verdict.clean


# -- end to end -----------------------------------------------------------------------------------


def test_damage_on_the_broker_and_in_the_warehouse_is_found(stack: Stack, whole: Case) -> None:
    alerts, at, alert = whole.logs.find(ALERTS.name)
    partition = next(p for (_, p), records in whole.logs.places.items() if records is alerts)
    changes, last, change = whole.logs.find(PRIORITIES.name, last=True)
    there = next(p for (_, p), records in whole.logs.places.items() if records is changes)
    writer = Writer(stack.settings.kafka)
    writer.append_now(
        [
            Outgoing(ALERTS.name, partition, alerts[at].key, alerts[at].value),
            Outgoing(ALERTS.name, partition, alerts[at].key, encode(alert | {"id": "0/999999/0"})),
            Outgoing(PRIORITIES.name, there, changes[last].key, encode(change | {"score": -1.0})),
        ]
    )
    with open_warehouse(stack.settings.warehouse) as warehouse:
        lesson = warehouse.execute("SELECT lesson_offset FROM lessons ORDER BY 1 LIMIT 1")[0][0]
        for statement in (
            f"ALTER TABLE lessons DELETE WHERE lesson_offset = {lesson}",
            "ALTER TABLE alerts UPDATE score = 0.123 WHERE alert_id = "
            f"(SELECT min(alert_id) FROM alerts WHERE alert_id = '{alert['id']}')",
        ):
            warehouse.execute(statement, settings={"mutations_sync": 2})
    verdict = compare(stack.settings, PARTITIONS, whole.published, whole.statuses)
    assert verdict.counts == {
        "duplicated": {"alerts": 2, "priorities": 1},
        "lost": {"warehouse.lessons": 1},
        "differing": {"warehouse.alerts": 1},
    }
    assert "score" in verdict.examples["warehouse.alerts: differing"][0]


def test_topic_that_still_grows_is_not_judged(stack: Stack, whole: Case) -> None:
    with KafkaLogs(stack.settings.kafka) as logs:
        assert list(logs.read(TICKETS.name, 0)) == whole.logs.places[TICKETS.name, 0]
        logs.require_still()
        Writer(stack.settings.kafka).append_now([Outgoing(TICKETS.name, 0, b"k", b"late")])
        with pytest.raises(UnavailableError, match="grew from"):
            logs.require_still()
