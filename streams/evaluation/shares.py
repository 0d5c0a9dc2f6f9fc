"""The same work for several seeds: one after the other here, or in processes of their own."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Protocol, TypeVar

Run = TypeVar("Run", covariant=True)
Told = Callable[[str, int, int], None]


class Work(Protocol[Run]):
    """What is done for one seed; it is sent to other processes."""

    def __call__(self, seed: int, told: Told) -> Run:
        """Do it; ``told`` is told the progress."""
        ...


def spread(work: Work[Run], seeds: int, jobs: int, told: Told) -> list[Run]:
    """Do the work for seeds 0 … ``seeds`` - 1, in up to ``jobs`` processes; in order of seed."""
    if jobs == 1 or seeds == 1:
        return [work(seed, told) for seed in range(seeds)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, seeds), mp_context=context) as pool:
        futures = [pool.submit(work, seed, untold) for seed in range(seeds)]
        for done, _ in enumerate(as_completed(futures), 1):
            told("seeds done", done, seeds)
        return [future.result() for future in futures]


def untold(doing: str, done: int, total: int) -> None:
    """Say nothing."""
