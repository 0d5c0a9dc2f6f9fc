import pickle

import numpy as np
import pytest

from models.learners.digest import digest_content
from models.learners.feature_rows import FeatureRows, weigh_rows


def features(*indices: int) -> np.ndarray:
    return np.array(indices, np.int32)


def test_rows_are_given_once_and_only_to_what_is_learned() -> None:
    table = FeatureRows(10, 2, 10_000)
    assert table.find(features(5, 9)).tolist() == [0, 0]
    assert table.assign(features(5, 9)).tolist() == [1, 2]
    assert table.assign(features(7, 9)).tolist() == [3, 2]
    assert table.find(features(9, 8, 7)).tolist() == [2, 0, 3]


def test_rows_keep_their_weights_while_the_table_grows() -> None:
    table = FeatureRows(14, 2, 10**6)
    rows = table.assign(features(3, 4))
    for layer in table.layers:
        layer[rows, 5] = [1.5, 2.5]
    table.assign(np.arange(5_000, dtype=np.int32))
    assert table.add_columns(100)
    assert table.row_count == 5_001
    for layer in table.layers:
        assert layer.shape[0] >= 5_001
        assert layer.shape[1] >= 100
        assert layer[table.find(features(3, 4)), 5].tolist() == [1.5, 2.5]
        assert float(np.abs(layer).sum()) == 4.0


def test_rows_are_shared_when_the_table_is_full() -> None:
    table = FeatureRows(14, 1, 300 * 8)
    table.assign(np.arange(16_384, dtype=np.int32))
    assert table.row_count == 300
    assert len(table.layers[0]) <= 384
    rows = table.find(np.arange(16_384, dtype=np.int32))
    assert set(rows.tolist()) == set(range(1, 300))
    assert table.find(features(9)).tolist() == [10]


def test_columns_end_at_four_times_the_cells() -> None:
    table = FeatureRows(14, 1, 1_000 * 8)
    table.assign(np.arange(1_000, dtype=np.int32))
    assert table.add_columns(32)
    before = digest_content(table.content())
    assert not table.add_columns(33)
    assert digest_content(table.content()) == before
    assert table.layers[0].size <= 4 * 1_000 * 8 * 1.5


def test_rows_pickled_go_on_alike_and_hold_nothing_spare() -> None:
    table = FeatureRows(14, 1, 10**6)
    rows = table.assign(np.arange(400, dtype=np.int32))
    table.assign(np.arange(380, 390, dtype=np.int32))
    table.layers[0][rows, 3] = 1.0
    copy = pickle.loads(pickle.dumps(table))
    assert len(copy.layers[0]) == table.row_count <= len(table.layers[0])
    for each in (table, copy):
        each.assign(np.arange(300, 900, dtype=np.int32))
        each.add_columns(20)
    assert digest_content(copy.content()) == digest_content(table.content())


def test_weighed_rows_are_summed_from_first_to_last() -> None:
    # In float32, 1 is lost beside 1e8: the order shows.
    rows = np.array([[1e8, 1.0], [1.0, 1e8], [-1e8, -1e8]], np.float32)
    assert weigh_rows(rows.copy(), np.ones(3, np.float32)).tolist() == [0.0, 0.0]
    assert weigh_rows(rows[[0, 2, 1]], np.ones(3, np.float32)).tolist() == [1.0, 0.0]
    assert weigh_rows(rows, np.array([1.0, 2.0, 1.0], np.float32)) == pytest.approx([0.0, 1e8])
