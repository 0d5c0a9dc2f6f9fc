"""The protocol holds in every state that the models can reach; each mechanism is what holds it."""

from typing import Any

import pytest

from tests.protocol import archiver, model, publisher
from tests.protocol.search import search
from tests.protocol.sizes import SIZES
from tests.protocol.sizes import archiver as archiver_of
from tests.protocol.sizes import desk as desk_of
from tests.protocol.sizes import publisher as publisher_of

LEAST_STATES = {
    "desk, inputs arrive meanwhile": 12_000,
    "desk, inputs wait": 30_000,
    "publisher": 30_000,
    "archiver": 15_000,
}


@pytest.mark.parametrize("name", SIZES["small"])
def test_protocol_loses_nothing_and_repeats_nothing_in_any_state(name: str) -> None:
    report = search(SIZES["small"][name])
    print(report)
    assert report.violation is None, str(report.violation)
    assert report.state_count > LEAST_STATES[name]


WITHOUT: dict[tuple[str, ...], tuple[Any, str]] = {
    ("claims",): (desk_of(1, "claims"), "accepted twice"),
    ("number",): (desk_of(1, "number"), "ahead of an unread input"),
    ("read_back",): (desk_of(1, "read_back"), "not the fold of the journal"),
    ("offsets",): (desk_of(1, "offsets"), "not the fold of the journal"),
    ("reclaim",): (desk_of(1, "reclaim"), "no completion settles"),
    ("discard",): (desk_of(1, "discard"), "not the fold of the journal"),
    ("all_under_way",): (desk_of(1, "all_under_way"), "not the fold of the journal"),
    ("journal_first",): (desk_of(1, "journal_first"), "ahead of the journal"),
    ("letters_first",): (desk_of(1, "letters_first"), "without its dead letter"),
    ("continuity",): (desk_of(1, "continuity"), "ahead of an unread input"),
    ("all_topics",): (desk_of(1, "all_topics"), "ahead of an unread input"),
    ("rewind",): (desk_of(1, "rewind"), "no completion settles"),
    ("from_fold",): (desk_of(1, "from_fold"), "no completion settles"),
    ("unread",): (desk_of(1, "unread"), "ahead of an unread input"),
    ("ends",): (desk_of(1, "ends"), "ahead of an unread input"),
    ("greater_epoch", "writer"): (desk_of(1, "greater_epoch", "writer"), "of a replaced writer"),
    ("writer", "epoch"): (desk_of(1, "writer", "epoch"), "of a replaced writer"),
    ("transaction",): (publisher_of(1, "transaction"), "seen twice"),
    ("membership",): (publisher_of(1, "membership"), "seen twice"),
    ("stable",): (publisher_of(1, "stable"), "seen twice"),
    ("reading",): (publisher_of(1, "reading"), "never seen"),
    ("rule",): (publisher_of(1, "rule"), "lost or void"),
    ("publisher's continuity",): (publisher_of(1, "continuity"), "never seen|twice|lost"),
    ("reread",): (publisher_of(1, "reread"), "seen twice"),
    ("note",): (archiver_of(1, "note"), "row twice without FINAL"),
    ("token",): (archiver_of(1, "token"), "row twice without FINAL"),
    ("content",): (archiver_of(2, "content"), "missing|dropped"),
    ("key",): (archiver_of(2, "key"), "row twice, even with FINAL"),
    ("archiver's rule",): (archiver_of(1, "rule"), "void record"),
    ("archiver's reading",): (archiver_of(1, "reading"), "missing"),
}
"""What is switched off, and what must then break."""


@pytest.mark.parametrize("without", WITHOUT, ids="+".join)
def test_search_finds_what_a_mechanism_is_for(without: tuple[str, ...]) -> None:
    broken, expected = WITHOUT[without]
    report = search(broken)
    assert report.violation is not None, f"nothing breaks in {report.state_count} states"
    assert any(each in report.violation.what for each in expected.split("|")), report.violation
    assert report.violation.trace
    print(f"{'+'.join(without)}: {report.violation}")


REDUNDANT: dict[str, Any] = {
    "greater_epoch": desk_of(1, "greater_epoch", under_way=1),
    "writer": desk_of(1, "writer", under_way=1),
    "epoch": desk_of(1, "epoch", under_way=1),
    "generation": desk_of(1, "generation"),
    "fence": publisher_of(2, "fence"),
    "done": archiver_of(2, "done"),
    "archiver's membership": archiver_of(1, "membership"),
}
"""What breaks nothing alone, because something else holds too; the docs name it.

Where a part of the reader's rule is off, void records cannot be told apart in advance, and the
states of two slices under way are too many: these have one.
"""


@pytest.mark.parametrize("name", REDUNDANT)
def test_second_line_of_defence_breaks_nothing_alone(name: str) -> None:
    assert search(REDUNDANT[name]).violation is None


def test_every_mechanism_is_either_needed_or_named_redundant() -> None:
    covered = {name.split("'s ")[-1] for names in WITHOUT for name in names}
    covered |= {name.split("'s ")[-1] for name in REDUNDANT}
    for mechanisms in (model.MECHANISMS, publisher.MECHANISMS, archiver.MECHANISMS):
        assert set(mechanisms) <= covered
