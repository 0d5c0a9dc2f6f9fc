"""Decisions made live, with learners that learned meanwhile, are the same bytes when made again."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import RejectedError
from streams.cli.main import main
from streams.replay import Replayed, replay
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
        kafka, seen = stack.settings.kafka, load.audit.seen
        kinds, revisions, refusals = set(), set(), list[str]()
        for partition in range(PARTITIONS):
            last = load.audit.last_number(partition)
            for number in (1, 2, last // 3, last // 2, last - 1, last):
                try:
                    again = replay(kafka, PARTITIONS, f"{partition}/{number}")
                except RejectedError as fault:
                    refusals.append(str(fault))
                    continue
                assert again.differing() == {}
                assert again.equal
                kinds.add(again.kind)
                revisions.add(again.recorded.get("learner", {}).get("revision"))
        outcome = CliRunner().invoke(
            main, ["replay", "--decision", "0/2"], env=environment(stack.settings)
        )
        missing = CliRunner().invoke(
            main, ["replay", "--decision", "0/999999"], env=environment(stack.settings)
        )
    assert seen.kinds["duplicate"] > 0
    assert all("duplicate" in refusal for refusal in refusals)
    assert {"ticket", "transaction", "policy"} <= kinds
    assert len(revisions) > 3
    assert outcome.exit_code == 0
    assert "the same bytes" in outcome.output
    assert missing.exit_code == 1
    assert "is not in the journal" in missing.output


def test_replayed_decision_that_differs_says_where() -> None:
    recorded = {"kind": "ticket", "decision": {"score": 1.0}, "policy": "a"}
    other = Replayed("0/1", "ticket", recorded, {**recorded, "decision": {"score": 1.5}}, 0.1)
    assert not other.equal
    assert other.differing() == {"decision": ({"score": 1.0}, {"score": 1.5})}
    assert Replayed("0/1", "ticket", recorded, dict(recorded), 0.1).equal
