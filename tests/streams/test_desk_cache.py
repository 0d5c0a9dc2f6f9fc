"""How many decoded values a worker keeps in memory, over all its partitions."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.state import Changes
from schemas.errors import UnavailableError
from streams.desk.cache import CacheBudget, ValueCache
from streams.desk.position import FoldPosition
from streams.desk.staging import MISSING
from streams.desk.store import PartitionStore

PLACES: Any = [("customer", key) for key in "abcd"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["keep", "find"]), st.sampled_from(PLACES), st.integers()), min_size=8
)


@given(STEPS, st.integers(1, 3))
def test_cache_has_what_was_used_last_as_it_was_kept_last(
    steps: list[tuple[str, Any, int]], share: int
) -> None:
    cache = ValueCache(CacheBudget(share))
    used: dict[Any, Any] = {}  # by place, the last used last
    for step, place, number in steps:
        held = list(used)[-share:]
        if step == "keep":
            used.pop(place, None)
            used[place] = value = None if number % 5 == 0 else {"n": number}
            cache.keep(place, value)
            assert len(cache) == min(len(used), share)
        elif place in held:
            assert cache.find(place) == used[place]
            used[place] = used.pop(place)
        else:
            assert cache.find(place) is MISSING
    held = list(used)[-share:]
    assert [cache.find(place) for place in PLACES] == [
        used[place] if place in held else MISSING for place in PLACES
    ]


def stored(path: Path, budget: CacheBudget, count: int) -> PartitionStore:
    """A store that wrote so many values."""
    store = PartitionStore(path, budget=budget)
    store.stage(Changes({("customer", f"{number}"): {"n": number} for number in range(count)}))
    store.commit(FoldPosition())
    return store


def read(store: PartitionStore, count: int) -> int:
    """Read all values; gives how many are in memory then."""
    assert [store.get("customer", f"{n}") for n in range(count)] == [{"n": n} for n in range(count)]
    return len(store._cache)


def test_stores_of_a_worker_hold_no_more_together_than_one_alone(tmp_path: Path) -> None:
    budget = CacheBudget(12)
    stores = [stored(tmp_path / "0", budget, 30)]
    assert read(stores[0], 30) == 12
    stores += [stored(tmp_path / f"{number}", budget, 30) for number in (1, 2)]
    assert [read(store, 30) for store in stores] == [4, 4, 4]
    for left, share in ((stores[:2], 6), (stores[:1], 12)):
        stores[len(left)].close()
        stores[len(left)].close()  # a store that is closed again is not one fewer
        assert [read(store, 30) for store in left] == [share] * len(left)
    stores[0].close()


def test_store_that_was_wiped_or_cannot_be_opened_has_one_share(tmp_path: Path) -> None:
    budget = CacheBudget(12)
    wiped = stored(tmp_path / "wiped", budget, 30)
    wiped.wipe()
    wiped.stage(Changes({("customer", f"{number}"): {"n": number} for number in range(30)}))
    wiped.commit(FoldPosition())
    assert read(wiped, 30) == 12
    with pytest.raises(UnavailableError):
        PartitionStore(tmp_path / "wiped", budget=budget)
    assert read(wiped, 30) == 12
    wiped.close()
