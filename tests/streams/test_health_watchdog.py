"""The watchdog's look at a role: its loop, its reading thread, its positions, its stacks."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from types import SimpleNamespace
from typing import Any

import pytest

from streams.health.ends import EndFinder
from streams.health.stacks import describe_stacks
from streams.health.standing import Ends, Standing
from streams.health.waiting import Waiting
from streams.health.watchdog import Watchdog
from streams.intake.continuity import Place
from streams.intake.sight import Sight
from streams.settings import HealthSettings, KafkaSettings

PLACE = ("journal", 0)


class Role:
    """A role that reads one partition, and says what the test wants."""

    def __init__(self) -> None:
        self.intake: Any = SimpleNamespace(sight=self.sight(0))
        self.positions: dict[Place, int] = {PLACE: 5}
        self.waiting = Waiting()

    @staticmethod
    def sight(turn_count: int) -> Sight:
        return Sight(turn_count, True, frozenset({PLACE}))

    def standing(self) -> Standing:
        return Standing(self.positions, self.waiting)


class Bench:
    """A watchdog over a role, with a clock and a broker in the test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        self.ends = Ends({PLACE: 9})
        self.ended: list[str] = []
        self.role = Role()
        self.role.waiting = Waiting(lambda: self.now_s)
        monkeypatch.setattr("streams.health.watchdog.time.monotonic", lambda: self.now_s)
        monkeypatch.setattr(EndFinder, "ask", lambda finder, places: self.ends)
        self.watchdog = Watchdog(
            self.role,
            KafkaSettings(bootstrap="127.0.0.1:1"),
            HealthSettings(stuck_after_ms=3_000),
            lambda reason, loop: self.ended.append(reason),
        )
        self.watchdog._loop = asyncio.get_running_loop()  # looks are taken by hand

    async def look(self, times: int, *, reads: bool = True, turns: bool = True) -> None:
        for _ in range(times):
            if reads:
                self.role.intake.sight = Role.sight(self.role.intake.sight.turn_count + 1)
            self.watchdog.look()
            self.now_s += 1
            if turns:
                await asyncio.sleep(0)


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


async def test_watchdog_ends_a_role_that_is_behind_and_stands_still(bench: Bench) -> None:
    await bench.look(3)
    assert (bench.ended, bench.watchdog.lifeless()) == ([], None)
    assert bench.watchdog.outlook.lag == {PLACE: 4}
    await bench.look(1)
    assert len(bench.ended) == 1
    assert bench.watchdog.lifeless() == bench.watchdog.unready() == bench.ended[0]


async def test_watchdog_lets_a_role_be_that_moves_or_is_not_behind(bench: Bench) -> None:
    for position in range(5, 10):
        bench.role.positions = {PLACE: position}
        await bench.look(2)
    await bench.look(10)
    assert bench.ended == []


async def test_watchdog_excuses_who_waits_for_the_broker_or_a_neighbour(bench: Bench) -> None:
    bench.ends = Ends({}, "no leaders")
    await bench.look(10)
    assert "no leaders" in str(bench.watchdog.unready())
    assert bench.watchdog.lifeless() is None
    bench.ends = Ends({PLACE: 9})
    for _ in range(10):
        bench.role.waiting.note("warehouse", "refused")
        await bench.look(1)
    assert bench.ended == []
    await bench.look(8)  # it hangs in its last try
    assert bench.ended


async def test_watchdog_ends_a_process_whose_loop_makes_no_turn(bench: Bench) -> None:
    bench.role.positions = {PLACE: 9}
    await bench.look(10)
    assert bench.ended == []
    await bench.look(6, turns=False)
    assert "the event loop has made no turn" in bench.ended[0]


async def test_watchdog_ends_a_process_whose_reading_thread_hangs(bench: Bench) -> None:
    bench.role.positions = {PLACE: 9}
    await bench.look(6, reads=False)
    assert "the intake has made no turn" in bench.ended[0]


async def test_health_notices_a_watchdog_that_has_stopped_looking(bench: Bench) -> None:
    await bench.look(1)
    assert bench.watchdog.lifeless() is None
    bench.now_s += 10
    assert "has not looked for" in str(bench.watchdog.lifeless())


async def test_stacks_show_where_threads_and_tasks_are_and_no_values() -> None:
    release, secret = threading.Event(), "-".join(["4929", "1234"])

    def hang_in_a_thread(secret: str) -> None:
        release.wait()

    async def hang_in_a_task(secret: str) -> None:
        await Wrapped()

    class Wrapped:  # as Faust wraps its agents
        def __await__(self) -> Generator[Any, None, None]:
            return middle().__await__()

    async def middle() -> None:
        async for _ in inner():
            pass

    async def inner() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    thread = threading.Thread(target=hang_in_a_thread, args=(secret,), name="hanging")
    thread.start()
    task = asyncio.create_task(hang_in_a_task(secret), name="agent")
    await asyncio.sleep(0)
    try:
        text = await asyncio.to_thread(describe_stacks, asyncio.get_running_loop())
    finally:
        release.set()
        thread.join()
        task.cancel()
    assert "thread hanging:" in text
    assert "in hang_in_a_thread" in text
    task_text = text.split("task agent:")[1]
    places = [task_text.index(f"in {name}\n") for name in ("hang_in_a_task", "middle", "inner")]
    assert places == sorted(places)
    assert secret not in text
