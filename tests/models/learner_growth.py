"""Teaches learners very many lessons and measures what they hold, in memory and pickled.

``python tests/models/learner_growth.py --count 1000000 --jobs 2 [NAME ...]`` shows a table; a
case is taught in a process of its own, the dearest first.
"""

import argparse
import gc
import json
import os
import pickle
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
MEASURED = 20
MANY = 100_000
DEAREST = ("learners", "forest", "risk", "softmax", "anomaly", "quality")


@dataclass(frozen=True, slots=True)
class Growth:
    """What a learner held, at equal distances while it was taught.

    Args:
        name: Of the case.
        count: Lessons taught.
        settled_count: Lessons after which it was promised to hold as much as it ever will.
        pickled_bytes: Its size as a checkpoint, each time.
        resident_bytes: Memory of the process, each time.
        lesson_us: Time a lesson took, drawing it included.
    """

    name: str
    count: int
    settled_count: int
    pickled_bytes: list[int]
    resident_bytes: list[int]
    lesson_us: float

    def grown(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Give the greatest size in the half after it had settled, and in the half after that.

        Raises:
            ValueError: it was taught too little to have settled for some time.
        """
        if self.count < 2 * self.settled_count:
            raise ValueError(f"{self.name} needs {2 * self.settled_count} lessons or more")
        first = max(1, -(-self.settled_count * MEASURED // self.count))
        middle = (first - 1 + MEASURED) // 2
        return max(sizes[first - 1 : middle]), max(sizes[middle:])


def grow(name: str, count: int, deployed: bool = False) -> Growth:
    """Teach one learner in this process."""
    from learner_cases import CASES

    case = CASES[name]
    learner, settled_count = case.make(), case.settled_count
    if deployed and case.deployed is not None:
        learner, settled_count = case.deployed(), case.deployed_settled_count
    rng = random.Random(7)
    pickled_bytes, resident_bytes = [], []
    took_s = 0.0
    for _ in range(MEASURED):
        begun_s = time.process_time()
        for _ in range(count // MEASURED):
            case.learn(learner, case.drawn(rng))
        took_s += time.process_time() - begun_s
        pickled_bytes.append(len(pickle.dumps(learner)))
        gc.collect()
        resident_bytes.append(_resident_bytes())
    return Growth(name, count, settled_count, pickled_bytes, resident_bytes, took_s / count * 1e6)


def _resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # elsewhere: the greatest so far
    return peak if sys.platform == "darwin" else peak * 1024


def grow_all(
    names: Sequence[str], count: int, jobs: int, told: Callable[[Growth], None]
) -> dict[str, Growth]:
    """Teach all of them in ``jobs`` processes at a time.

    A million lessons are taught as deployed, each learner in a process of its own.
    """
    ordered = sorted(names, key=lambda name: DEAREST.index(name) if name in DEAREST else 99)
    many = count >= MANY
    groups = [[name] for name in ordered] if many else [ordered[at::jobs] for at in range(jobs)]

    def run(group: Sequence[str]) -> list[Growth]:
        done = subprocess.run(
            [sys.executable, __file__, "--count", str(count), "--here", *group],
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        growths = [Growth(**json.loads(line)) for line in done.stdout.splitlines()]
        for growth in growths:
            told(growth)
        return growths

    with ThreadPoolExecutor(jobs) as pool:
        return {growth.name: growth for each in pool.map(run, groups) for growth in each}


def row(growth: Growth) -> str:
    """Give one line of the table."""
    before, after = growth.grown(growth.pickled_bytes)
    resident, resident_after = growth.grown(growth.resident_bytes)
    return (
        f"{growth.name:<12} {growth.count:>9,} lessons {growth.lesson_us:7.1f} us each; pickled "
        f"{before / 1e3:9,.1f} kB, later {after / 1e3:9,.1f} kB; resident {resident / 1e6:.1f} MB, "
        f"later {resident_after / 1e6:6.1f} MB"
    )


def main() -> None:
    """Show the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        for name in given.names:
            growth = grow(name, given.count, deployed=given.count >= MANY)
            sys.stdout.write(json.dumps(asdict(growth)) + "\n")
        return
    from learner_cases import CASES

    names = given.names or list(CASES)
    grown = grow_all(names, given.count, given.jobs, lambda each: print(row(each), flush=True))
    if given.json:
        each_once = [asdict(growth) for growth in grown.values()]
        given.json.write_text(json.dumps(each_once, indent=1) + "\n")


if __name__ == "__main__":
    main()
