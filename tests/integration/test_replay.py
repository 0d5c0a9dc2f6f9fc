"""Decisions made live, with learners that learned meanwhile, are the same bytes when made again."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models import core
from models.policy import POLICY_V1
from models.state import Stamp
from schemas.base import moment
from schemas.codec import decode_json, encode
from schemas.errors import RejectedError
from schemas.registry import JOURNAL
from streams.cli.main import main
from streams.journal.acceptance import Reading
from streams.journal.writer import Outgoing, Writer
from streams.replay.choice import DECIDED, Window
from streams.replay.logs import KafkaLogs
from streams.replay.replay import replay_many, replay_one
from streams.settings import KafkaSettings, Settings
from streams.stack.role_process import environment
from tests.integration.support import PARTITIONS, Load, embedded_stack

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

EVENTS = 1_500


def test_replayed_decisions_are_the_same_bytes(tmp_path: Path) -> None:
    with embedded_stack(tmp_path) as stack:
        load = Load(stack)
        load.company(EVENTS // 2)
        load.settle()
        load.company(EVENTS)  # the first half repeats: duplicates, which are no decisions
        load.report()
        settings, seen = stack.settings, load.audit.seen
        every = replay_many(settings.kafka, PARTITIONS)
        drawn = replay_many(settings.kafka, PARTITIONS, sample=100, seed=7)
        records = accepted(settings.kafka)
        decided_ms = sorted(record["decided_ms"] for record in records if record["kind"] in DECIDED)
        start_ms, end_ms = (decided_ms[len(decided_ms) // part] for part in (3, 2))
        between = replay_many(settings.kafka, PARTITIONS, window=Window(start_ms, end_ms))
        one = replay_one(settings.kafka, PARTITIONS, "0/2")
        duplicate = next(record for record in records if record["kind"] == "duplicate")
        with pytest.raises(RejectedError, match="is a duplicate record"):
            replay_one(settings.kafka, PARTITIONS, decision_id(duplicate))
        whole = command(settings, "--json", str(tmp_path / "all.json"))
        single = command(settings, "--decision", "0/2")
        missing = command(settings, "--decision", "0/999999")
        nowhere = command(settings, "--decision", "9/1")
        since = command(settings, "--from", moment(start_ms), "--to", moment(end_ms))
        tampered_id = append_tampered(settings.kafka, records)
        found = command(settings, "--json", str(tmp_path / "found.json"))
        found_alone = command(settings, "--decision", tampered_id)
    decided = sum(seen.kinds[kind] for kind in DECIDED)
    assert (every.checked, every.equal, every.differing) == (decided, decided, 0)
    assert every.not_replayable == {kind: seen.kinds[kind] for kind in ("dead", "duplicate")}
    assert every.folded_lessons > 50
    assert (drawn.checked, drawn.differing) == (100, 0)
    assert between.checked == sum(start_ms <= at < end_ms for at in decided_ms)
    assert between.differing == 0
    assert one.equal
    assert (whole.exit_code, single.exit_code, since.exit_code) == (0, 0, 0)
    assert f"{decided:,} decisions made again: all the same bytes" in whole.output
    assert "the same bytes" in single.output
    assert f"{between.checked:,} decisions made again" in since.output
    assert json.loads((tmp_path / "all.json").read_bytes())["equal"] == decided
    assert missing.exit_code == nowhere.exit_code == 1
    assert "is not in the journal" in missing.output
    assert "is no decision" in nowhere.output
    assert found.exit_code == found_alone.exit_code == 1
    report = json.loads((tmp_path / "found.json").read_bytes())
    assert (report["checked"], report["differing"]) == (decided + 1, 1)
    (difference,) = report["differences"]
    assert difference["decision"] == tampered_id
    assert list(difference["fields"]) == ["policy"]
    assert difference["fields"]["policy"]["recorded"] == "0" * 32
    for outcome in (found, found_alone):
        assert re.search(
            rf"{tampered_id} \(policy\) differs\s+policy\s+recorded 0+\s", outcome.output
        )


def command(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(main, ["replay", *words], env=environment(settings))


def accepted(kafka: KafkaSettings) -> list[dict[str, Any]]:
    """All records that count, but claims, partition by partition."""
    found = []
    with KafkaLogs(kafka, PARTITIONS) as logs:
        for partition in range(PARTITIONS):
            reading = Reading()
            for entry in logs.journal(partition, logs.journal_end(partition)):
                record = decode_json(entry.value)
                after = reading.accept(record)
                if after is not None:
                    reading = after
                    found += [record | {"at": partition}] if record["kind"] != "claim" else []
    return found


def decision_id(record: dict[str, Any]) -> str:
    return f"{record['at']}/{record['number']}"


def append_tampered(kafka: KafkaSettings, records: list[dict[str, Any]]) -> str:
    """Append what the last owner of the last partition could have written, with one field wrong."""
    last = records[-1]
    number = last["number"] + 1
    draft = core.decide_policy(POLICY_V1, Stamp(last["at"], PARTITIONS, number, last["decided_ms"]))
    claimed = {name: last[name] for name in ("epoch", "writer")} | {"number": number}
    head = {"v": 1, "kind": "policy", "epoch": 0, "number": 0, "writer": ""} | claimed
    record = {**head, **draft, "policy": "0" * 32}
    Writer(kafka).append_now([Outgoing(JOURNAL.name, last["at"], None, encode(record))])
    return f"{last['at']}/{number}"
