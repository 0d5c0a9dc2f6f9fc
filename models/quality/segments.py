"""Which part of the decisions a lesson belongs to, and how old its label is."""

from collections.abc import Mapping

MATURITIES = ("0-1d", "1-7d", "7d+")
"""Time from the event to the knowledge of its label."""

ASKED = "label=asked"

_DAY_MS = 86_400_000
_BANDS = ((1_000.0, "amount=1000+"), (100.0, "amount=100-1000"), (10.0, "amount=10-100"))


def maturity(occurred_ms: int, known_ms: int) -> str:
    """Give how old a label is.

    >>> maturity(0, 86_399_999), maturity(0, 86_400_000), maturity(0, 7 * 86_400_000 + 1)
    ('0-1d', '1-7d', '7d+')
    """
    age_ms = known_ms - occurred_ms
    if age_ms < _DAY_MS:
        return MATURITIES[0]
    return MATURITIES[1] if age_ms <= 7 * _DAY_MS else MATURITIES[2]


def transaction_segments(features: Mapping[str, float]) -> tuple[str, ...]:
    """Give amount band, card present or absent, and whether the terminal has a known label."""
    amount = features.get("amount", 0.0)
    band = next((name for least, name in _BANDS if amount >= least), "amount=0-10")
    return (
        band,
        "card=absent" if features.get("card_absent") else "card=present",
        "terminal=known" if "terminal_label" in features else "terminal=unknown",
    )


def ticket_segments(
    features: Mapping[str, float], is_answered: bool, is_asked: bool
) -> tuple[str, ...]:
    """Give the language, whether the learner's class was answered for, and whether it was asked.

    Labels that were asked for, each standing for as many tickets as its propensity says, speak
    for all tickets; which tickets others label, nobody knows.
    """
    return (
        "language=zh" if features.get("chinese") else "language=other",
        "answer=given" if is_answered else "answer=withheld",
        *([ASKED] if is_asked else []),
    )
