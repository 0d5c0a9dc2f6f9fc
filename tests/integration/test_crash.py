"""One crash of each role in the middle of a load, on a real Apache Kafka."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.errors import UnavailableError
from streams.stack.stack import Stack
from tests.integration.support import Load, kafka_stack

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

EVENTS = 20_000


def test_kill_of_each_role_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    with kafka_stack(tmp_path) as stack:
        load = Load(stack)

        def kill(role: str) -> None:
            _busy(stack)
            for each in stack.of(role):
                each.kill()
            time.sleep(0.5)
            stack.tend()

        load.company(
            EVENTS,
            at={
                4_000: lambda: kill("desk"),
                9_000: lambda: kill("publisher"),
                14_000: lambda: kill("archiver"),
            },
        )
        report = load.report()
    assert sorted(stack.restarted) == [
        "archiver/archiver-1",
        "desk/desk-1",
        "publisher/publisher-1",
    ]
    assert report["lost_where"] == {"inputs": 0, "outputs": 0, "dead_letters": 0, "warehouse": 0}
    assert report["duplicated_where"] == {"inputs": 0, "outputs": 0, "warehouse": 0}
    assert sum(report["events_in"].values()) == EVENTS
    assert report["alerts"] + report["priority_changes"] > 0


def test_second_desk_takes_over_and_gives_back(tmp_path: Path) -> None:
    with kafka_stack(tmp_path, desks=2) as stack:
        load = Load(stack)
        first, second = stack.of("desk")
        load.company(6_000, at={2_000: second.kill, 4_000: stack.tend})
        report = load.report()
    assert first.name not in stack.restarted
    assert report["lost"] == 0
    assert report["duplicated"] == 0


def _busy(stack: Stack) -> None:
    """Wait until the desk has begun to decide what was published."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(UnavailableError):
            statuses = [each.status() for each in stack.of("desk")]
            if any(p["number"] > 0 for each in statuses for p in each["partitions"].values()):
                return
        time.sleep(0.05)
    raise AssertionError("the desk does not decide")
