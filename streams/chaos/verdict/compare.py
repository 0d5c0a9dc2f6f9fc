"""Compares, by id and by content: inputs, journal, topics, dead letters and warehouse."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.chaos.published import Published
from streams.chaos.verdict.verdict import Verdict
from streams.settings import Settings


def compare(
    settings: Settings,
    partition_count: int,
    published: Published,
    desk_statuses: Sequence[Mapping[str, Any]] = (),
) -> Verdict:
    """Compare everything that a finished load left behind.

    Call it when the load has settled: everything published is folded, published and archived.
    It only reads; roles may run on.

    Args:
        settings: Broker, warehouse, and the masking key that the desks used.
        partition_count: Of inputs, journal and outputs.
        published: Every acknowledged input record.
        desk_statuses: ``/status`` of each running desk, asked after the load settled; what they
            say of each partition must be what a fold of the journal gives.

    Raises:
        UnavailableError: broker or warehouse do not answer for long; nothing was judged.
        IncompatibleError: a log that must be whole has a gap.
    """
    raise NotImplementedError
