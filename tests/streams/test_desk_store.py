import shutil
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk_bench import FullDisk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.state import Changes, Due, MemoryState
from schemas.codec import decode_json, encode
from schemas.errors import IncompatibleError, MalformedError, UnavailableError
from streams.desk.position import FoldPosition
from streams.desk.refusals import Refusals
from streams.desk.store import POSITION_KEY, UNSAVED_PLACES, PartitionStore
from streams.journal.acceptance import Reading

REFUSALS = Refusals(2, 0b1011 << 3_000)
POSITION = FoldPosition(Reading(2, "w", 9), 12, "ab", {"t": 4}, 3, 60_000, REFUSALS)


def found_at(path: Path) -> tuple[FoldPosition, Any]:
    """Give position and customer ``a`` of a store that nobody has open."""
    store = PartitionStore(path)
    found = store.position, store.get("customer", "a")
    store.close()
    return found


def test_store_keeps_what_was_committed_and_nothing_else(tmp_path: Path) -> None:
    store = PartitionStore(tmp_path / "s")
    store.stage(Changes({("customer", "a"): {"x": 1.5}}, added=[Due(5, "mature", "k")]))
    store.commit(POSITION)
    store.stage(Changes({("customer", "a"): None, ("customer", "b"): {"y": 2}}))
    store.close()

    again = PartitionStore(tmp_path / "s")
    assert again.position == POSITION
    assert again.get("customer", "a") == {"x": 1.5}
    assert again.get("customer", "b") is None
    assert again.due(5, 10) == [Due(5, "mature", "k")]
    assert again.due(4, 10) == []
    again.close()


def test_write_that_fails_moves_neither_state_nor_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PartitionStore(tmp_path / "s")
    store.stage(Changes({("customer", "a"): {"x": 1}}))
    store.commit(POSITION)
    monkeypatch.setattr(store, "_db", FullDisk(store._db))
    store.stage(Changes({("customer", "a"): {"x": 2}}))
    with pytest.raises(UnavailableError):
        store.commit(replace(POSITION, journal_next=99))
    store.close()
    assert found_at(tmp_path / "s") == (POSITION, {"x": 1})


def test_store_shows_staged_changes_until_they_are_discarded(tmp_path: Path) -> None:
    store = PartitionStore(tmp_path / "s")
    store.stage(Changes({("ledger", ""): {"n": 1}}, added=[Due(1, "mature", "k")]))
    assert store.get("ledger", "") == {"n": 1}
    assert store.due(1, 1) == [Due(1, "mature", "k")]
    store.discard()
    assert store.get("ledger", "") is None
    assert store.due(1, 1) == []
    store.close()


def test_store_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    store = PartitionStore(tmp_path / "s")
    with pytest.raises(UnavailableError):
        PartitionStore(tmp_path / "s")
    store.close()
    PartitionStore(tmp_path / "s").close()


def test_store_of_another_format_is_refused(tmp_path: Path) -> None:
    store = PartitionStore(tmp_path / "s")
    store.commit(POSITION)
    whole = decode_json(store._db.get(POSITION_KEY))
    store._db.put(POSITION_KEY, encode(whole | {"format": 0}))
    store.close()
    with pytest.raises(IncompatibleError):
        PartitionStore(tmp_path / "s")


def test_store_that_another_core_folded_is_not_folded_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PartitionStore(tmp_path / "s")
    store.commit(POSITION)
    store.close()
    monkeypatch.setattr("streams.desk.store.CORE_VERSION", "another")
    with pytest.raises(MalformedError, match="folded by core"):
        PartitionStore(tmp_path / "s")


def test_wiped_store_is_empty(tmp_path: Path) -> None:
    store = PartitionStore(tmp_path / "s")
    store.stage(Changes({("customer", "a"): {"x": 1}}))
    store.commit(POSITION)
    store.wipe()
    assert store.position == FoldPosition()
    assert store.get("customer", "a") is None
    store.close()


DUES = st.builds(Due, st.integers(0, 3), st.just("mature"), st.sampled_from("ab")) | st.builds(
    Due,
    st.integers(0, 2**48),
    st.sampled_from(["mature", "reprioritise"]),
    st.text(max_size=8).filter(lambda key: "\x00" not in key),
)
"""Few, so that one slice takes off what another has put on; and all there may be."""
CHANGES = st.builds(
    Changes,
    st.dictionaries(
        st.tuples(st.sampled_from(["customer", "ticket", "seen"]), st.text(max_size=4)),
        st.none() | st.fixed_dictionaries({"v": st.integers(-5, 5)}),
        max_size=4,
    ),
    st.lists(DUES, max_size=3),
    st.lists(DUES, max_size=2),
)


def all_due(state: PartitionStore | MemoryState) -> list[list[Due]]:
    """Give what falls due by several times, asked for as they come: each look may teach a state."""
    return [sorted(state.due(now_ms, 1_000)) for now_ms in (0, 1, 2, 3, 2**47)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(CHANGES, st.sampled_from(["stage", "commit", "reopen"])), max_size=12))
def test_store_and_memory_state_agree(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Changes, str]]
) -> None:
    path = tmp_path_factory.mktemp("store")
    store, memory = PartitionStore(path), MemoryState()
    places: set[Any] = set()
    for changes, then in steps:
        store.stage(changes)
        memory.apply(changes)
        places |= set(changes.rooms)
        if then != "stage":
            store.commit(POSITION)
        if then == "reopen":
            store.close()
            store = PartitionStore(path)
        for room, key in places:
            assert store.get(room, key) == memory.get(room, key)
        assert all_due(store) == all_due(memory)
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            CHANGES,
            st.sampled_from(["stage", "seal", "seal", "acknowledge", "commit", "write", "discard"]),
        ),
        max_size=16,
    )
)
def test_slices_are_acknowledged_one_by_one_while_all_of_them_are_seen(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Changes, str]]
) -> None:
    path = tmp_path_factory.mktemp("store")
    store, seen, durable = PartitionStore(path), MemoryState(), MemoryState()
    slices: list[list[Changes]] = [[]]
    places: set[Any] = set()
    for changes, then in steps:
        store.stage(changes)
        seen.apply(changes)
        slices[-1].append(changes)
        places |= set(changes.rooms)
        if then == "seal":
            store.seal()
            slices.append([])
        elif then in ("acknowledge", "commit"):  # the oldest that was sealed, or what is staged
            (store.acknowledge if then == "acknowledge" else store.commit)(POSITION)
            for each in slices.pop(0):
                durable.apply(each)
            slices = slices or [[]]
        elif then == "write":
            store.commit()
        elif then == "discard":
            store.discard()
            slices, seen = [[]], deepcopy(durable)
        for room, key in places:
            assert store.get(room, key) == seen.get(room, key)
        assert all_due(store) == all_due(seen)
    store.close()
    again = PartitionStore(path)
    for room, key in places:
        assert again.get(room, key) == durable.get(room, key)
    assert all_due(again) == all_due(durable)
    again.close()


def test_entry_that_comes_before_all_that_were_looked_for_falls_due(tmp_path: Path) -> None:
    store = PartitionStore(tmp_path / "s")
    soon, late = Due(5, "mature", "soon"), Due(50, "mature", "late")
    store.stage(Changes({}, [late]))
    store.commit(POSITION)
    assert store.due(10, 9) == []
    assert store.due(60, 9) == [late]  # from now on it is known that nothing stands before it
    store.stage(Changes({}, [soon]))
    assert store.due(10, 9) == [soon]
    store.commit(POSITION)
    assert store.due(10, 9) == [soon]
    store.stage(Changes({}, [], [soon]))
    assert store.due(10, 9) == []
    store.discard()
    assert store.due(10, 9) == [soon]
    store.close()


def test_agenda_that_cannot_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreadable:
        """Stands before the database: a disk that gives nothing back."""

        def iter(self) -> "Unreadable":
            return self

        def seek(self, key: bytes) -> None:
            pass

        def valid(self) -> bool:
            return False

        def status(self) -> None:
            raise OSError("input/output error")

    store = PartitionStore(tmp_path / "s")
    opened = store._db
    monkeypatch.setattr(store, "_db", Unreadable())
    for _ in range(2):  # nor is it known to be empty afterwards
        with pytest.raises(UnavailableError, match="cannot be read"):
            store.due(10, 9)
    monkeypatch.setattr(store, "_db", opened)
    store.close()


def on_disk(store: PartitionStore) -> Any:
    """What a process would find that is started after a SIGKILL."""
    raw = store._db.get(b"\x02customer\x00a")
    return None if raw is None else decode_json(raw)


def acknowledged(path: Path, count: int = 1) -> PartitionStore:
    store = PartitionStore(path)
    places: Any = {("customer", "a"): {"x": 1}}
    places |= {("customer", f"{number}"): {"x": number} for number in range(1, count)}
    store.stage(Changes(places))
    store.seal()
    store.acknowledge(POSITION)
    return store


def test_what_was_acknowledged_is_seen_at_once_and_written_when_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = acknowledged(tmp_path / "s")
    assert (store.position, store.get("customer", "a")) == (POSITION, {"x": 1})
    store.discard()
    store.commit_if_due()
    assert (store.get("customer", "a"), on_disk(store)) == ({"x": 1}, None)
    monkeypatch.setattr("streams.desk.store.UNSAVED_S", 0.0)
    store.commit_if_due()
    assert on_disk(store) == {"x": 1}
    store.close()


def test_what_was_acknowledged_is_written_when_it_is_much(tmp_path: Path) -> None:
    for count, written in ((UNSAVED_PLACES - 1, None), (UNSAVED_PLACES, {"x": 1})):
        store = acknowledged(tmp_path / f"{count}", count)
        store.commit_if_due()
        assert on_disk(store) == written
        store.close()


def test_closed_store_has_all_that_was_acknowledged_and_nothing_else(tmp_path: Path) -> None:
    store = acknowledged(tmp_path / "s")
    store.stage(Changes({("customer", "a"): {"x": 2}}))
    store.seal()
    store.stage(Changes({("customer", "a"): {"x": 3}}))
    store.close()
    store.close()
    assert found_at(tmp_path / "s") == (POSITION, {"x": 1})


def test_killed_process_leaves_state_and_position_of_the_last_write(tmp_path: Path) -> None:
    store = acknowledged(tmp_path / "s")
    store.snapshot(tmp_path / "killed")
    store.stage(Changes({("customer", "a"): {"x": 2}}))
    store.acknowledge(replace(POSITION, journal_next=99))
    shutil.copytree(tmp_path / "s", tmp_path / "copy", ignore=shutil.ignore_patterns("LOCK"))
    for path in (tmp_path / "copy", tmp_path / "killed"):
        assert found_at(path) == (POSITION, {"x": 1})
    store.close()
