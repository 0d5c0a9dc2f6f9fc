"""A desk that died with its disk goes on elsewhere, from checkpoints and not from the beginning."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.errors import UnavailableError
from streams.settings import DeskSettings
from streams.stack.stack import Stack
from tests.integration.support import PARTITIONS, Load, kafka_stack

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

EVENTS = 2_000


def test_desk_without_its_disk_goes_on_from_checkpoints(tmp_path: Path) -> None:
    with kafka_stack(tmp_path) as stack:
        (desk,) = stack.of("desk")
        keen = DeskSettings(
            clock="events",
            web_port=desk.settings.desk.web_port,
            state_checkpoint_every_s=0.5,
            checkpoint_every_lessons=100,
        )
        desk.settings = desk.settings.model_copy(
            update={
                "desk": keen,
                "checkpoint_dir": tmp_path / "shared",
                "checkpoint_key": SecretStr("a key that all desks have"),
            }
        )
        desk.stop()
        desk.start()
        load = Load(stack)
        load.company(EVENTS)
        load.settle()
        before = _wait(stack, _all_saved)
        load.company(EVENTS // 4, seed=2)
        desk.kill()
        shutil.rmtree(desk.settings.state_dir / desk.settings.worker)
        desk.settings = desk.settings.model_copy(update={"state_dir": tmp_path / "elsewhere"})
        desk.start()
        after = _wait(stack, lambda status: len(status["partitions"]) == PARTITIONS)
        report = load.report()
        words = desk.log_path.read_text()
    for number, partition in after["partitions"].items():
        assert partition["began_with"] == "checkpoint", number
        assert partition["began_at"] >= before["partitions"][number]["checkpoint_at"] > 100
    assert words.count("state_restored") == PARTITIONS
    assert words.count("learners_restored") == 1
    assert report["lost"] == 0
    assert report["duplicated"] == 0
    assert sum(report["events_in"].values()) == EVENTS + EVENTS // 4


def _all_saved(status: dict[str, Any]) -> bool:
    saved = [partition["checkpoint_at"] or 0 for partition in status["partitions"].values()]
    return len(saved) == PARTITIONS and min(saved) > 100


def _wait(stack: Stack, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    status: dict[str, Any] = {}
    while time.monotonic() < deadline:
        with suppress(UnavailableError):
            status = stack.of("desk")[0].status()
            if there(status):
                return status
        time.sleep(0.1)
    raise AssertionError(status)
