from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MalformedError
from streams.journal.acceptance import Reading


def claim(epoch: int, writer: str) -> dict[str, Any]:
    return {"kind": "claim", "epoch": epoch, "writer": writer}


def entry(epoch: int, writer: str, number: int) -> dict[str, Any]:
    return {"kind": "ticket", "epoch": epoch, "writer": writer, "number": number}


def accepted(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    reading, kept = Reading(), []
    for record in log:
        after = reading.accept(record)
        if after is not None:
            reading = after
            kept.append(record)
    return kept


def test_reading_accepts_a_claim_only_with_a_greater_epoch() -> None:
    reading = Reading(3, "a", 7)
    assert reading.accept(claim(4, "b")) == Reading(4, "b", 7)
    assert reading.accept(claim(3, "b")) is None
    assert reading.accept(claim(2, "b")) is None


def test_reading_accepts_only_the_next_number_of_the_current_writer() -> None:
    reading = Reading(3, "a", 7)
    assert reading.accept(entry(3, "a", 8)) == Reading(3, "a", 8)
    assert reading.accept(entry(3, "a", 7)) is None
    assert reading.accept(entry(3, "a", 9)) is None
    assert reading.accept(entry(3, "b", 8)) is None
    assert reading.accept(entry(2, "a", 8)) is None


def test_reading_ignores_what_a_replaced_owner_writes_late() -> None:
    log = [
        claim(1, "old"),
        entry(1, "old", 1),
        claim(2, "new"),
        entry(1, "old", 2),  # the zombie
        entry(2, "new", 2),
        entry(1, "old", 3),
        entry(2, "new", 3),
    ]
    assert [record["writer"] for record in accepted(log)] == ["old", "old", "new", "new", "new"]


@given(
    st.lists(
        st.builds(entry, st.integers(1, 3), st.sampled_from("ab"), st.integers(1, 6))
        | st.builds(claim, st.integers(1, 4), st.sampled_from("ab")),
        max_size=60,
    )
)
def test_accepted_numbers_are_exact_whatever_stands_on_the_log(log: list[dict[str, Any]]) -> None:
    kept = accepted(log)
    numbers = [record["number"] for record in kept if record["kind"] != "claim"]
    epochs = [record["epoch"] for record in kept]
    assert numbers == list(range(1, len(numbers) + 1))
    assert epochs == sorted(epochs)
    assert accepted(kept) == kept


@given(st.integers(0, 2**40), st.text("0123456789abcdef", max_size=32), st.integers(0, 2**40))
def test_from_token_inverts_token(epoch: int, writer: str, number: int) -> None:
    reading = Reading(epoch, writer, number)
    assert Reading.from_token(reading.token()) == reading


@pytest.mark.parametrize("token", ["", "1", "1:2", "x:1:w", "1:y:w"])
def test_from_token_refuses_what_is_no_token(token: str) -> None:
    with pytest.raises(MalformedError):
        Reading.from_token(token)
