"""What producers note is given back by position, whatever order it came in."""

from hypothesis import given
from hypothesis import strategies as st

from streams.chaos.published import Published, content_digest
from streams.chaos.verdict.shelf import Shelf

records = st.dictionaries(
    st.integers(0, 10_000), st.tuples(st.none() | st.binary(), st.none() | st.binary())
)


@given(records, st.randoms())
def test_published_gives_back_what_was_noted_by_offset(noted, draw) -> None:
    published = Published()
    offsets = list(noted)
    draw.shuffle(offsets)
    for offset in offsets:
        published.note("t", 3, offset, *noted[offset])
    assert list(published.at(("t", 3))) == [
        (offset, content_digest(*noted[offset])) for offset in sorted(noted)
    ]
    assert published.count == len(noted)
    assert published.ends == ({("t", 3): max(noted) + 1} if noted else {})
    assert list(published.at(("t", 4))) == []


@given(
    st.tuples(*[st.none() | st.binary(max_size=3)] * 2),
    st.tuples(*[st.none() | st.binary(max_size=3)] * 2),
)
def test_content_digest_tells_key_from_value(left, right) -> None:
    assert (content_digest(*left) == content_digest(*right)) == (left == right)


@given(st.lists(st.integers(0, 2**63), unique=True).map(sorted), st.lists(st.integers(0, 2**63)))
def test_shelf_finds_what_was_added_and_counts_takers(numbers, asked) -> None:
    shelf = Shelf("<q4s")
    for number in numbers:
        shelf.add(number, -1, number.to_bytes(8, "big")[:4])
    taken = set()
    for number in asked + numbers[::2]:
        index = shelf.find(number)
        assert (index is None) == (number not in numbers)
        if index is not None:
            assert shelf.fields(index) == (-1, number.to_bytes(8, "big")[:4])
            shelf.take(index)
            taken.add(number)
    assert list(shelf.untaken()) == [number for number in numbers if number not in taken]
