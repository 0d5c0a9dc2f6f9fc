"""docs/features.md, written from the catalogue of features."""

import math
from collections.abc import Sequence
from pathlib import Path

from models.features.catalogue import (
    TICKET_FEATURES,
    TRANSACTION_FEATURES,
    UNITS,
    Feature,
)

PAGE = Path(__file__).parents[2] / "docs" / "features.md"

HEAD = """\
# Features

What the desk knows of a payment or a ticket when it decides: named numbers. They stand in the
journal's records, in the lessons and in the warehouse (`features['amount']`), and the learners
learn from nothing else but the text. All are computed from the event, the customer's fold and what
was known by the event's own time. One that is not known is left out, never guessed: it is marked
"may be missing".

| type | what it can be |
|---|---|
| flag | 0 or 1 |
| count | a whole number, 0 or more |
| ratio | without dimension |
| number | any; the unit says of what, and in which range |

This page is written from `models/features/catalogue.py`: `python -m tests.features --markdown`.
Tests see to it that every feature of a record or a lesson stands in it and keeps the range of its
unit, and that none stands in it that is never produced.
"""

SECTIONS: dict[str, Sequence[Feature]] = {
    "Transactions": TRANSACTION_FEATURES,
    "Tickets": TICKET_FEATURES,
}


def page() -> str:
    """Give the whole page."""
    parts = [HEAD]
    for title, features in SECTIONS.items():
        rows = "\n".join(_row(feature) for feature in features)
        parts.append(
            f"## {title}\n\n"
            "| name | type | unit | range | meaning |\n|---|---|---|---|---|\n"
            f"{rows}\n"
        )
    return "\n".join(parts)


def _row(feature: Feature) -> str:
    missing = "; may be missing" if feature.optional else ""
    return (
        f"| `{feature.name}` | {feature.type} | {feature.unit} | {_range(feature)} "
        f"| {feature.meaning}{missing} |"
    )


def _range(feature: Feature) -> str:
    unit = UNITS[feature.unit]
    if unit.most == math.inf:
        return f"{unit.least:g} or more"
    return f"{unit.least:g} to {unit.most:g}"
