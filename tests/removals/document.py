"""docs/mechanisms.md, written from the list."""

from collections.abc import Sequence

from tests.removals.removal import ROOT, Removal

PAGE = ROOT / "docs" / "mechanisms.md"

HEAD = """\
# Mechanisms, and the tests that miss them

What [delivery.md](delivery.md) promises rests on the mechanisms below. For each of them there is a
removal: a small edit that takes the mechanism out, and the tests that fail without it. `make
removals` takes out one after the other on a copy of the project and expects every test named here
to fail; `make removals ARGS="claim-read-back"` tries one. A test that cannot start, or stumbles
over what the edit left undefined, does not count. An ordinary test of the suite sees to it that
every text to be removed stands in the code exactly once and that every test named exists.

This page is written from the list in `tests/removals`: `python -m tests.removals --markdown`.
"""


def page(sections: dict[str, Sequence[Removal]]) -> str:
    """Give the whole page."""
    parts = [HEAD]
    for title, removals in sections.items():
        rows = "\n".join(_row(removal) for removal in removals)
        parts.append(
            f"## {title}\n\n"
            "| mechanism | without it | where | tests that fail then |\n|---|---|---|---|\n"
            f"{rows}\n"
        )
    return "\n".join(parts)


def _row(removal: Removal) -> str:
    tests = "<br>".join(f"`{test}`" for test in removal.tests)
    return (
        f"| `{removal.name}`: {removal.mechanism} | {removal.promise} "
        f"| `{removal.file}` | {tests} |"
    )
