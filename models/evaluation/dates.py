"""Which days are tested, and when a drift begins: UTC days, counted from the epoch."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schemas.errors import RejectedError

DAY_S: Final = 86_400
TRAIN_DAYS: Final = 7
TEST_DAYS: Final = 7
_EPOCH: Final = date(1970, 1, 1)


def day_of(moment: str) -> int:
    """Give a date's day.

    >>> day_of("1970-01-03")
    2
    """
    return (date.fromisoformat(moment) - _EPOCH).days


def name_of(day: int) -> str:
    """Give a day's date.

    >>> name_of(2)
    '1970-01-03'
    """
    return (_EPOCH + timedelta(days=day)).isoformat()


def day_at(ts: int) -> int:
    """Give the day of seconds since the epoch."""
    return ts // DAY_S


BOOK_TEST_FROM: Final = day_of("2018-08-08")


@dataclass(frozen=True, slots=True)
class DaysTested:
    """The days that are tested, and since when their cards' frauds are known.

    Args:
        from_day: The first day.
        until_day: The last day.
        delay_days: How many days after a fraud it becomes known.
        is_book: These are the days of the fraud-detection handbook.
    """

    from_day: int
    until_day: int
    delay_days: int
    is_book: bool

    @property
    def train_from_day(self) -> int:
        """The first day of the week of training, whose end is known when the test begins."""
        return self.from_day - self.delay_days - TRAIN_DAYS

    def known_until_day(self, day: int) -> int:
        """Give the last day whose frauds are all known on a day."""
        return day - self.delay_days - 1


def days_tested(first_ts: int, last_ts: int, delay_days: int) -> DaysTested:
    """Give the handbook's test week where a file has it, with its training; else the last 7 days.

    Args:
        first_ts: Of the file, in seconds.
        last_ts: Of the file.
        delay_days: At least 0.
    """
    first, last = day_at(first_ts), day_at(last_ts)
    book = DaysTested(BOOK_TEST_FROM, BOOK_TEST_FROM + TEST_DAYS - 1, delay_days, True)
    if first <= book.train_from_day and last >= book.until_day:
        return book
    return DaysTested(max(first, last - TEST_DAYS + 1), last, delay_days, False)


@dataclass(frozen=True, slots=True)
class DriftDays:
    """When injected drift begins, and what is judged.

    Args:
        cheap_from: First day of cheap stolen cards: amounts divided by 5, then times 0.2.
        inflated_from: First day on which every amount is 1.4 times as large.
        week_2: First and last day of the first judged stretch.
        week_3: Of the second.
    """

    cheap_from: int
    inflated_from: int
    week_2: tuple[int, int]
    week_3: tuple[int, int]


def drift_days(first_ts: int, last_ts: int) -> DriftDays:
    """Give the days of the drift: from 2018-07-01 where the file has them, else from its middle.

    Raises:
        RejectedError: fewer than 38 days follow.
    """
    first, last = day_at(first_ts), day_at(last_ts)
    begin = day_of("2018-07-01")
    if not (first < begin and last >= begin + 37):
        begin = first + (last - first + 1) // 2
    if begin + 37 > last:
        raise RejectedError("an injected drift needs 38 days after the middle of the file")
    return DriftDays(begin, begin + 15, (begin + 22, begin + 30), (begin + 31, begin + 37))
