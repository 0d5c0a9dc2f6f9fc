import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from schemas.errors import UnavailableError
from streams.bench.engine_process import EngineProcess, Other, measure
from streams.bench.engines.floor import read_count
from streams.bench.measuring import Instant, Slope, Spread, cpu_s, in_medians, rss_bytes, slope
from streams.settings import Settings

BUSY = "while True: pass"
SLEEPING = "import time; time.sleep(600)"


@contextmanager
def child(code: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def until_used(pid: int, wanted_s: float, *, children: bool = False) -> float:
    """Wait by the processor's clock: another program may hold the machine."""
    while (used_s := cpu_s(pid, children=children)) < wanted_s:
        time.sleep(0.01)
    return used_s


def test_cpu_of_a_process_is_what_the_process_itself_says():
    before_s = time.process_time()
    seen_s = cpu_s(os.getpid())
    after_s = time.process_time()
    assert before_s <= seen_s <= after_s


def test_cpu_counts_threads_that_have_ended():
    code = (
        "import threading, time\n"
        "def burn():\n"
        "    until = time.process_time() + 0.3\n"
        "    while time.process_time() < until: pass\n"
        "thread = threading.Thread(target=burn); thread.start(); thread.join()\n"
        "time.sleep(600)"
    )
    with child(code) as pid:
        assert until_used(pid, 0.3) >= 0.3


def test_cpu_of_children_counts_only_if_asked_for():
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    with child(code) as pid:
        with_children_s = until_used(pid, 0.5, children=True)
        assert cpu_s(pid) < with_children_s - 0.1
        for grandchild in subprocess.run(
            ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
        ).stdout.split():
            os.kill(int(grandchild), 9)


def test_an_ended_process_is_away():
    with child("pass") as pid:
        pass
    for look in (cpu_s, rss_bytes):
        with pytest.raises(UnavailableError):
            look(pid)


def test_memory_grows_by_what_is_taken():
    code = "import time; taken = b'x' * 80_000_000; print(1, flush=True); time.sleep(600)"
    with child(SLEEPING) as small, child(code) as large:
        while rss_bytes(large) < 80_000_000:
            time.sleep(0.01)
        assert rss_bytes(large) - rss_bytes(small) > 40_000_000


def test_slope_is_what_happened_between_two_instants():
    found = slope(Instant(10.0, 2.0, 1_000), Instant(12.0, 3.0, 6_000))
    assert found == Slope(5_000, 2.0, 1.0)
    assert found.events_per_s == 2_500
    assert found.cpu_us_per_event == 200
    assert found.cpu_percent == 50
    assert Slope(0, 1.0, 1.0).cpu_us_per_event == float("inf")


def test_instant_reads_a_busy_process():
    with child(BUSY) as pid:
        first = Instant.of(pid, 0)
        until_used(pid, first.cpu_s + 0.2)
        second = Instant.of(pid, 10)
        assert slope(first, second).cpu_us_per_event >= 20_000


def test_spread_tells_median_and_range():
    assert Spread((3.0, 1.0, 2.004)).as_json() == {
        "median": 2.0,
        "min": 1.0,
        "max": 3.0,
        "runs": [3.0, 1.0, 2.0],
    }
    assert Spread.over(iter([1.0, 4.0])).median == 2.5


class Progress:
    """Events that grow with every look."""

    def __init__(self, step: int) -> None:
        self.done, self._step = 0, step

    def __call__(self) -> int:
        self.done += self._step
        return self.done


def test_measure_begins_after_the_warm_up_and_ends_with_the_backlog():
    with child(BUSY) as pid:
        (run,) = measure([Other(pid)], Progress(10), 400, warm_up_share=0.5, end_share=0.9)
    assert 100 <= run.events <= 200
    assert run.cpu_s > 0


def test_measure_does_not_wait_for_the_backlog_of_a_slow_engine():
    with child(BUSY) as pid:
        (run,) = measure([Other(pid)], Progress(1), 10**9, warm_up_s=0.2, window_s=0.3)
    assert 0 < run.events < 10**3


def test_measure_says_that_an_engine_stands_still():
    with child(BUSY) as pid, pytest.raises(UnavailableError, match="stopped"):
        measure([Other(pid)], lambda: 10, 20, window_s=0.2)


def test_floor_counts_in_a_file_until_a_signal(tmp_path):
    counter = tmp_path / "count"
    assert read_count(counter) == 0
    with EngineProcess("floor", Settings(state_dir=tmp_path), [str(counter)]) as floor:
        while read_count(counter) < 400:
            assert floor.pid
            time.sleep(0.05)
    assert read_count(counter) % 200 == 0
    with pytest.raises(UnavailableError):
        floor.signal(signal.SIGSTOP)


def test_figures_are_told_by_their_medians_with_the_spread_beside() -> None:
    figures = {"a_us": Spread.over([3.0, 1.0, 2.0]).as_json()}
    assert in_medians(figures) == {"a_us": 2.0, "spread": figures}
