"""What a role asks of the collector and of the C library, in a process of its own."""

import subprocess
import sys

BATCH = """
import resource, sys
from streams.memory import keep_what_is_freed
if sys.argv[1] == "kept":
    keep_what_is_freed()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def batch():  # as the desk has it: records of a kilobyte, let go together
    records = [bytes(1_000) for _ in range(2_000)]
batch()
before = faults()
for _ in range(50):
    batch()
print(faults() - before)
"""
COLLECTOR = """
import gc
from streams.memory import YOUNG, YOUNG_WHERE_ROWS_WAIT, collect_rarely
kept = [[] for _ in range(1_000)]
collect_rarely()
print(gc.get_freeze_count() > len(kept), gc.get_threshold()[0] == YOUNG, gc.isenabled())
collect_rarely(YOUNG_WHERE_ROWS_WAIT)
print(gc.get_threshold()[0] == YOUNG_WHERE_ROWS_WAIT)
"""


def answer(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_memory_of_a_batch_serves_the_next_one() -> None:
    if not sys.platform.startswith("linux"):
        return
    assert int(answer(BATCH, "kept")) < 1_000
    assert int(answer(BATCH, "given back")) > 10_000


def test_collector_leaves_alone_what_was_there_when_the_role_opened() -> None:
    assert answer(COLLECTOR).split() == ["True"] * 4
