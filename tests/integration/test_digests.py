"""A desk that starts with learners that are not everybody's stops and comes back right."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.desk.checkpoints import Checkpoints
from streams.process import HALTED
from streams.stack.role_process import RoleProcess
from streams.stack.stack import Stack
from tests.integration.support import Load, kafka_stack

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

EVENTS = 2_000
PATIENCE_S = 60.0


def test_desk_with_altered_learners_stops_before_it_decides_and_rebuilds(tmp_path: Path) -> None:
    with kafka_stack(tmp_path, 2, {"digest_every_lessons": 100}) as stack:
        load = Load(stack)
        first, second = stack.of("desk")
        load.company(EVENTS)
        load.settle()
        second.stop()
        revision = alter_newest(stack)
        second.start()
        until(lambda: not second.alive)
        assert second.exit_status == HALTED
        words = second.log_path.read_text()
        assert f"the learners of desk-2 depart at revision {revision}" in words
        assert "partition_claimed" not in words.split("learners_restored")[-1]
        assert first.alive
        second.start()
        load.company(EVENTS, seed=2)
        report = load.report()
        statuses = [each.status() for each in (first, second)]
        until(lambda: compared(second).get("verdict") == "agreed")
    assert "learners_restored" not in second.log_path.read_text().split("role_halted")[-1]
    assert stack.restarted == []
    assert statuses[0]["digest"] == statuses[1]["digest"]
    assert (report["lost"], report["duplicated"]) == (0, 0)


def alter_newest(stack: Stack) -> int:
    """Replace the newest checkpoint by one whose seal is right and whose weights are not."""
    checkpoints = Checkpoints(stack.settings.checkpoints_path / "learners", None, 3, "desk-2")
    learners = checkpoints.newest(lambda revision, digest: True)
    assert learners is not None
    assert learners.category.labels
    learners.category._bias += 0.5
    checkpoints.save(learners)
    return learners.revision


def compared(desk: RoleProcess) -> dict[str, Any]:
    return desk.status()["compared"] or {}


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)
