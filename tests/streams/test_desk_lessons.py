"""Lessons that a desk cannot have any more."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.errors import IncompatibleError
from schemas.registry import LESSONS
from streams.desk.desk import Desk
from streams.settings import KafkaSettings, Settings


class Message:
    def __init__(self, fault: KafkaError) -> None:
        self._fault = fault

    def error(self) -> KafkaError:
        return self._fault

    def offset(self) -> int:
        return 7


class GapConsumer:
    """Its position is not on the log; then the desk stops."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self.closed = False

    def assign(self, places: list[Any]) -> None:
        assert [place.topic for place in places] == [LESSONS.name]

    def consume(self, count: int, timeout_s: float) -> list[Message]:
        self._stop()
        return [Message(KafkaError(KafkaError._AUTO_OFFSET_RESET))]

    def close(self) -> None:
        self.closed = True


async def test_lessons_that_are_gone_halt_the_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halts: list[BaseException] = []
    settings = Settings(state_dir=tmp_path, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
    desk = Desk(settings, 1, lambda: 0, lambda batch: asyncio.sleep(0), halts.append)
    consumer = GapConsumer(desk.feed._stopping.set)
    monkeypatch.setattr("streams.desk.lessons.make_consumer", lambda *args, **more: consumer)
    desk.feed._run()
    assert consumer.closed
    desk.check()
    assert [type(fault) for fault in halts] == [IncompatibleError]
    with pytest.raises(IncompatibleError, match="missing from the log"):
        desk.feed.apply(1)
