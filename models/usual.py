"""What payments are like of late: mean amount and mean ratio to habit, from unlabelled samples.

Prices rise, seasons come, a whole portfolio shifts; a payment is unusual beside those of its
days, not beside those of long ago. Folded from lessons, read as of a day: the days before it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.learners.digest import digest_content

DAY_MS = 86_400_000
DAYS = 32
ENOUGH = 50
TENANTS = 1_000
_FAR = 10.0
"""Amounts above so many times the usual one, and ratios above it, count as this: one payment
must not move a day."""


class UsualFacts(NamedTuple):
    """What is usual on a day."""

    amount: float | None
    """Mean amount in the reference currency, > 0."""
    amount_ratio: float | None
    """Mean of the amounts over what their customers usually spend, > 0."""


UNKNOWN = UsualFacts(None, None)


class _Day:
    __slots__ = ("amount", "count", "ratio", "ratio_count")

    def __init__(self) -> None:
        self.count = self.ratio_count = 0
        self.amount = self.ratio = 0.0


class Usual:
    """Daily sums of sampled transactions, per tenant; 32 days, 1,000 tenants."""

    def __init__(self) -> None:
        self._tenants: dict[str, dict[int, _Day]] = {}
        self._facts: dict[str, tuple[int, UsualFacts]] = {}

    def learn(self, tenant: str, features: Mapping[str, float], occurred_ms: int) -> None:
        """Learn a sampled transaction; one of more than 32 days before the latest is ignored."""
        amount = features.get("amount")
        if amount is None:
            return
        days = self._tenants.get(tenant)
        if days is None:
            if len(self._tenants) >= TENANTS:
                oldest = next(iter(self._tenants))
                del self._tenants[oldest]
                self._facts.pop(oldest, None)
            days = self._tenants[tenant] = {}
        number = occurred_ms // DAY_MS
        usual = self.facts(tenant, occurred_ms).amount
        if number not in days:
            days[number] = _Day()
            if len(days) > DAYS:
                del days[min(days)]
            if number not in days:
                return
        day = days[number]
        day.count += 1
        day.amount += amount if usual is None else min(amount, _FAR * usual)
        ratio = features.get("amount_ratio")
        if ratio is not None:
            day.ratio_count += 1
            day.ratio += min(ratio, _FAR)
        if tenant in self._facts and number < self._facts[tenant][0]:
            del self._facts[tenant]

    def facts(self, tenant: str, as_of_ms: int) -> UsualFacts:
        """Give what was usual in the latest days before that of ``as_of_ms``.

        As many days as hold 50 samples, at most 32; the day itself does not count.
        """
        today = as_of_ms // DAY_MS
        known = self._facts.get(tenant)
        if known is not None and known[0] == today:
            return known[1]
        found = _mean(self._tenants.get(tenant, {}), today)
        if tenant in self._tenants:
            self._facts[tenant] = today, found
        return found

    def digest(self) -> str:
        """Return the digest of everything remembered."""
        return digest_content(
            "Usual",
            [
                [tenant, number, day.count, day.amount, day.ratio_count, day.ratio]
                for tenant, days in self._tenants.items()
                for number, day in sorted(days.items())
            ],
        )


def _mean(days: Mapping[int, _Day], today: int) -> UsualFacts:
    count = ratio_count = 0
    amount = ratio = 0.0
    for number in sorted(days, reverse=True):
        if number >= today:
            continue
        if count >= ENOUGH or number < today - DAYS:
            break
        day = days[number]
        count += day.count
        amount += day.amount
        ratio_count += day.ratio_count
        ratio += day.ratio
    if count < ENOUGH or amount <= 0.0:
        return UNKNOWN
    return UsualFacts(amount / count, ratio / ratio_count if ratio > 0.0 else None)
