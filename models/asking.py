"""Which tickets people are asked to label: a budget that is held, a propensity for each ticket.

A ticket is asked about with a probability that depends on how sure its category is, compared with
the latest tickets, and on how much of the budget has been spent. The probability is recorded with
the decision: given all that came before, it is exactly the chance of the draw, so that sums over
asked tickets, each divided by its propensity, estimate sums over all tickets without bias
(Horvitz and Thompson 1952).

The value of a partition is a fold of its ticket decisions: ``share`` the budget it was counted
under, ``seen`` and ``asked`` tickets since then, ``bins`` and ``total`` a decayed histogram of
margins.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from models.sampling import draw
from models.state import Value
from schemas.outputs import AskReason

AskMode = Literal["margin", "random"]

ASKING = "asking"
"""Key of the partition's value in room ``ledger``."""

_BINS = 64
_KEPT = 0.5 ** (1.0 / 500.0)
_PATIENCE = 20.0
"""A debt or an excess of so many labels moves the rate by 1: it is paid off within as many."""


@dataclass(frozen=True, slots=True)
class AskRules:
    """How much is asked, and about what.

    Args:
        share: The budget: the share of tickets to ask about, 0 to 1.
        mode: ``margin`` prefers tickets whose best two categories are near each other.
        floor: The least propensity of any ticket, as a part of ``share``, above 0, at most 1.
        softness: Half the width, in ranks, over which the chance falls from high to low.
    """

    share: float
    mode: AskMode = "margin"
    floor: float = 0.1
    softness: float = 0.0


class Asked(NamedTuple):
    """Whether a ticket is asked about, with what chance, and why."""

    asked: bool
    propensity: float
    """In (0, 1], rounded to six decimals and drawn with exactly that; 0 if the budget is 0."""
    reason: AskReason | None
    """``None`` if it is not asked about."""


def margin_of(categories: Sequence[Mapping[str, Any]]) -> float | None:
    """Give the difference of the two best probabilities; ``None`` below two classes.

    >>> margin_of([{"label": "a", "probability": 0.5}, {"label": "b", "probability": 0.25}])
    0.25
    """
    if len(categories) < 2:
        return None
    best, second = categories[0]["probability"], categories[1]["probability"]
    return float(best - second)


def decide_asking(
    asking: Value | None, margin: float | None, subject_id: str, rules: AskRules
) -> Asked:
    """Decide whether to ask about a ticket.

    Args:
        asking: The partition's value before this ticket.
        margin: Of its two best categories, 0 to 1; ``None`` (no two classes yet) counts as 0.
        subject_id: What the draw is made by: equal ids draw equally.
        rules: The policy's.
    """
    if rules.share <= 0.0:
        return Asked(False, 0.0, None)
    floor = rules.floor * rules.share
    rate = min(max(rules.share + _debt(asking, rules.share) / _PATIENCE, floor), 1.0)
    chance = rate
    if rules.mode == "margin" and rate < 1.0:
        aim = (rate - floor) / (1.0 - floor)
        chance = floor + (1.0 - floor) * _preference(_ranks(asking, margin), aim, rules.softness)
    propensity = max(round(chance, 6), 1e-6)
    drawn = draw(subject_id, "ask")
    if drawn >= propensity:
        return Asked(False, propensity, None)
    if rules.mode == "random":
        return Asked(True, propensity, "random")
    return Asked(True, propensity, "exploration" if drawn < floor else "uncertain")


def fold_asking(
    asking: Value | None, margin: float | None, asked: bool, share: float
) -> dict[str, Any]:
    """Give the partition's value after a ticket; another budget is counted from its first ticket.

    Args:
        asking: The value before, ``None`` at first.
        margin: As for `decide_asking`.
        asked: What was decided.
        share: The budget it was decided under.
    """
    seen, spent = 0, 0
    bins = [0.0] * _BINS
    total = 0.0
    if asking is not None:
        bins = [weight * _KEPT for weight in asking["bins"]]
        total = asking["total"] * _KEPT
        if asking["share"] == share:
            seen, spent = asking["seen"], asking["asked"]
    bins[_bin(margin)] += 1.0
    return {
        "share": share,
        "seen": seen + 1,
        "asked": spent + asked,
        "bins": bins,
        "total": total + 1.0,
    }


def _debt(asking: Value | None, share: float) -> float:
    """Give how many labels the budget is behind (positive) or ahead (negative)."""
    if asking is None or asking["share"] != share:
        return 0.0
    return float(share * asking["seen"] - asking["asked"])


def _bin(margin: float | None) -> int:
    """Give the bin of a margin; narrow near 0, where the margins of a young learner are."""
    if margin is None:
        return 0
    return min(int(math.sqrt(min(max(margin, 0.0), 1.0)) * _BINS), _BINS - 1)


def _ranks(asking: Value | None, margin: float | None) -> tuple[float, float]:
    """Give the ranks, 0 to 1, that the margin may have among the latest and itself.

    Of tickets that come in any order with equal chance, a rank drawn evenly from this interval is
    itself even, however many have been seen and however many margins are equal.
    """
    if asking is None:
        return 0.0, 1.0
    at = _bin(margin)
    bins, all_of_them = asking["bins"], asking["total"] + 1.0
    below = sum(bins[:at])
    return below / all_of_them, (below + bins[at] + 1.0) / all_of_them


def _preference(ranks: tuple[float, float], aim: float, softness: float) -> float:
    """Give the mean over the ranks of a curve that falls from 1 to 0 around rank ``aim``."""
    low, high = ranks
    half = min(softness, aim, 1.0 - aim)
    area = _area(high, aim, half) - _area(low, aim, half)
    return min(max(area / (high - low), 0.0), 1.0)


def _area(rank: float, aim: float, half: float) -> float:
    """Give the area under the curve up to ``rank``; the whole of it is ``aim``."""
    if rank <= aim - half:
        return rank
    if rank >= aim + half:
        return aim
    left = aim + half - rank
    return aim - left * left / (4.0 * half)
