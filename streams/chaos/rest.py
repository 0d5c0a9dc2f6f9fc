"""Brings a campaign to rest: everything decided, published, archived, then all roles stopped."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL, LESSONS, QUALITY_TOPIC
from streams.chaos.keeper import Keeper
from streams.chaos.observer import Observer, Positions
from streams.kafka import Consumer, end_offset, last_record_end, make_consumer
from streams.settings import Settings
from streams.stack.stack import Stack

PATIENCE_S = 600.0


def come_to_rest(
    stack: Stack, keeper: Keeper, observer: Observer, ends: Mapping[tuple[str, int], int]
) -> ExitStack:
    """Wait until the roles have dealt with everything, stop the desks, let the others finish.

    Ticks go on while a desk runs, so the journal has an end only when all desks have stopped.

    Args:
        stack: The running system.
        keeper: Its supervisor; told to leave the roles stopped.
        observer: Knows how far the roles are.
        ends: Of the inputs.

    Returns:
        What keeps the roles down; close it when the campaign is over.

    Raises:
        UnavailableError: the system did not come to rest within minutes.
    """
    down = ExitStack()
    consumer = make_consumer(stack.settings.kafka, group="riverdesk-chaos")
    try:
        _wait("the desks", lambda: _reached(observer.positions["desk"], ends))
        # who has not recovered by then stands in the report
        comes(lambda: all(each.caught_up_s is not None for each in observer.recoveries))
        for each in stack.of("desk"):
            down.enter_context(keeper.down(each))
            each.stop()
        journal = _journal_ends(consumer, stack.settings)
        _wait("the publisher", lambda: _reached(observer.positions["publisher"], journal))
        single = {
            (topic.name, 0): last_record_end(consumer, topic.name)
            for topic in (LESSONS, QUALITY_TOPIC)
        }
        archived = {**journal, **single}
        _wait("the archiver", lambda: _reached(observer.positions["archiver"], archived))
        for each in stack.roles:
            down.enter_context(keeper.down(each))
        stack.stop_roles()
    except BaseException:
        down.close()
        raise
    finally:
        consumer.close()
    return down


def _reached(positions: Mapping[tuple[str, int], int], ends: Mapping[tuple[str, int], int]) -> bool:
    return all(positions.get(place, 0) >= end for place, end in ends.items())


def comes(there: Callable[[], bool]) -> bool:
    """Wait until something has come about, for minutes at the most; tell whether it has."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (come := there()) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return come


def _wait(whom: str, there: Callable[[], bool]) -> None:
    if not comes(there):
        raise UnavailableError(f"{whom} did not come to rest within {PATIENCE_S:.0f} s")


def _journal_ends(consumer: Consumer, settings: Settings) -> Positions:
    return {
        (JOURNAL.name, number): end_offset(consumer, JOURNAL.name, number)
        for number in range(settings.topics.partitions)
    }
