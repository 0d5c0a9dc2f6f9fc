"""Compares the stores of stopped desks with a fresh fold of the journal."""

from collections.abc import Iterable
from pathlib import Path

from streams.chaos.verdict.verdict import Verdict
from streams.settings import Settings


def compare_stores(
    settings: Settings, partition_count: int, directories: Iterable[Path]
) -> Verdict:
    """Compare every room and the agenda of each store with a fold of the journal up to its position.

    Call it after all desks have stopped; join the result: ``compare(…).joined(compare_stores(…))``.
    Of several stores of one partition (it moved between desks) each is compared at its own
    position, so older ones must agree too.

    Args:
        settings: The broker.
        partition_count: Of the journal.
        directories: Those of the desks, ``settings.state_dir / worker``.

    Raises:
        UnavailableError: the broker does not answer for long.
        IncompatibleError: the journal has a gap.
    """
    raise NotImplementedError
