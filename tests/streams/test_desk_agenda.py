"""What is held of the stored agenda is what stands on disk, however little is held."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from streams.desk.agenda import StoredAgenda
from streams.desk.staging import AGENDA_END, AGENDA_PREFIX

KEYS = st.integers(0, 30).map(lambda at: AGENDA_PREFIX + bytes([at]))


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(st.lists(KEYS, max_size=12), st.lists(KEYS, max_size=12), KEYS), max_size=12
    ),
)
def test_what_is_held_is_what_is_stored(
    held: int, steps: list[tuple[list[bytes], list[bytes], bytes]]
) -> None:
    stored: set[bytes] = set()
    agenda = StoredAgenda(
        lambda start, count: sorted(key for key in stored if key >= start)[:count], held
    )
    for added, removed, bound in steps:
        stored -= set(removed)
        stored |= set(added)
        agenda.write(added, removed)
        expected = sorted(key for key in stored if key < bound)
        assert list(islice(agenda.before(bound), 3)) == expected[:3]
        assert list(agenda.before(bound)) == expected
        assert agenda.earliest(()) <= min(stored, default=AGENDA_END)
        assert agenda.earliest(stored) >= bound


def test_little_is_read_and_only_once() -> None:
    asked: list[int] = []
    keys = [AGENDA_PREFIX + bytes([at]) for at in range(10)]

    def read(start: bytes, count: int) -> list[bytes]:
        asked.append(count)
        return [key for key in keys if key >= start][:count]

    agenda = StoredAgenda(read, 4)
    for _ in range(3):
        assert list(agenda.before(keys[3])) == keys[:3]
    assert asked == [4]
    agenda.write([], keys)
    keys.clear()
    assert list(agenda.before(AGENDA_END)) == []
    assert agenda.earliest(()) == AGENDA_END
    assert list(agenda.before(AGENDA_END)) == []
    assert asked == [4, 4]
