"""Whoever decided, and whatever happened before: the decision is made again the same."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import decode_json
from schemas.errors import UnavailableError
from streams.replay.choice import DECIDED
from streams.replay.logs import KafkaLogs
from streams.replay.replay import replay_many
from streams.settings import KafkaSettings
from streams.stack.role_process import RoleProcess
from tests.integration.support import PARTITIONS, Load, kafka_stack

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

PART = 500
PATIENCE_S = 60.0


def test_decisions_replay_equally_after_crash_rebalance_and_restored_learners(
    tmp_path: Path,
) -> None:
    """Four stretches of one load; between them the faults, each seen to have happened.

    The first desk is killed while it decides and started again; a second one joins; the first
    one is stopped in order, which saves its learners, and the second one decides alone; the first
    one comes back, its learners restored.
    """
    with kafka_stack(tmp_path) as stack:
        load = Load(stack)
        (first,) = stack.of("desk")

        def crash() -> None:
            wait_until(lambda: deciding(first) == PARTITIONS)
            first.kill()
            stack.tend()

        load.company(PART, seed=1, at={PART // 2: crash})
        load.settle()
        second = stack.add("desk", 2)
        second.start()
        wait_until(lambda: owned(first) and owned(second))
        load.company(PART, seed=2)
        load.settle()
        first.stop()
        checkpoints = list((stack.settings.checkpoints_path / "learners").glob("*.ckpt"))
        stack.roles.remove(first)  # nobody is to start it again by himself
        load.company(PART, seed=3)
        load.settle()
        stack.roles.append(first)
        first.start()
        wait_until(lambda: owned(first) and owned(second))
        load.company(PART, seed=4)
        load.settle()
        outcome = replay_many(stack.settings.kafka, PARTITIONS)
        drawn = replay_many(stack.settings.kafka, PARTITIONS, sample=200, seed=2)
        records = journal(stack.settings.kafka)
        log = first.last_words(10_000)
    assert stack.restarted == [first.name]
    assert checkpoints
    assert "learners_restored" in log
    assert "checkpoint_refused" not in log
    writers = [{r["writer"] for r in own if r["kind"] in DECIDED} for own in records]
    assert all(len(names) >= 3 for names in writers), writers
    assert [each.differing() for each in outcome.differences] == []
    assert outcome.checked == outcome.equal > 3 * PART
    assert (drawn.checked, drawn.differing) == (200, 0)


def owned(desk: RoleProcess) -> int:
    return len(desk.status()["partitions"])


def deciding(desk: RoleProcess) -> int:
    """In how many partitions it has decided something."""
    return sum(each["number"] > 0 for each in desk.status()["partitions"].values())


def wait_until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(UnavailableError):
            if there():
                return
        time.sleep(0.1)
    raise AssertionError("it did not come about")


def journal(kafka: KafkaSettings) -> list[list[dict[str, Any]]]:
    with KafkaLogs(kafka, PARTITIONS) as logs:
        return [
            [decode_json(entry.value) for entry in logs.journal(number, logs.journal_end(number))]
            for number in range(PARTITIONS)
        ]
