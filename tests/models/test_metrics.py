import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as reference

from models import metrics

SCORES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.9, 1.0]) | st.floats(0, 1)
RANKED = st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=60)
CLASSES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1)


@given(RANKED)
def test_average_precision_agrees_with_the_reference(ranked: list[tuple[bool, float]]) -> None:
    labels, scores = zip(*ranked, strict=True)
    assume(any(labels))
    expected = reference.average_precision_score(labels, scores)
    assert metrics.average_precision(labels, scores) == pytest.approx(expected)


@given(RANKED)
def test_roc_auc_agrees_with_the_reference(ranked: list[tuple[bool, float]]) -> None:
    labels, scores = zip(*ranked, strict=True)
    assume(any(labels) and not all(labels))
    expected = reference.roc_auc_score(labels, scores)
    assert metrics.roc_auc(labels, scores) == pytest.approx(expected)


@given(CLASSES)
def test_class_figures_agree_with_the_reference(pairs: list[tuple[str, str]]) -> None:
    truths, guesses = zip(*pairs, strict=True)
    assert metrics.accuracy(truths, guesses) == pytest.approx(
        reference.accuracy_score(truths, guesses)
    )
    assert metrics.macro_f1(truths, guesses) == pytest.approx(
        reference.f1_score(truths, guesses, average="macro", zero_division=0.0)
    )


@given(RANKED)
def test_calibration_error_agrees_with_its_definition(ranked: list[tuple[bool, float]]) -> None:
    labels, shares = (np.array(column) for column in zip(*ranked, strict=True))
    bins = np.minimum((shares * 10).astype(int), 9)
    expected = sum(
        (bins == each).mean() * abs(labels[bins == each].mean() - shares[bins == each].mean())
        for each in np.unique(bins)
    )
    assert metrics.expected_calibration_error(labels, shares) == pytest.approx(expected)


def test_figures_without_what_they_need_are_nan() -> None:
    assert math.isnan(metrics.average_precision([False], [0.5]))
    assert math.isnan(metrics.average_precision([], []))
    assert math.isnan(metrics.roc_auc([True], [0.5]))
    assert math.isnan(metrics.accuracy([], []))
    assert math.isnan(metrics.macro_f1([], []))
    assert math.isnan(metrics.expected_calibration_error([], []))


def test_figures_refuse_what_they_cannot_rank() -> None:
    with pytest.raises(ValueError, match="nan"):
        metrics.average_precision([True], [math.nan])
    with pytest.raises(ValueError, match="equally long"):
        metrics.roc_auc([True, False], [0.5])
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        metrics.expected_calibration_error([True], [1.5])


def test_card_precision_counts_cards_once_a_day() -> None:
    days = [0, 0, 0, 0, 1, 1]
    cards = [7, 7, 8, 9, 8, 9]
    labels = [False, True, False, False, True, False]
    scores = [0.9, 0.1, 0.8, 0.2, 0.1, 0.3]
    assert metrics.card_precision(days, cards, labels, scores, top=1) == 0.5
    assert metrics.card_precision(days, cards, labels, scores, top=2) == 0.5
    assert math.isnan(metrics.card_precision([], [], [], []))


def test_card_precision_does_not_depend_on_the_order_of_equals() -> None:
    args = ([0, 0], [1, 2], [True, False], [0.5, 0.5])
    turned = tuple(list(reversed(column)) for column in args)
    assert metrics.card_precision(*args, top=1) == metrics.card_precision(*turned, top=1) == 1.0


@given(RANKED, st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_accuracy_at_coverage_does_not_depend_on_the_order_of_ties(
    ranked: list[tuple[bool, float]], coverage: float
) -> None:
    rights, confidences = zip(*ranked, strict=True)
    found = metrics.accuracy_at_coverage(rights, confidences, coverage)
    again = metrics.accuracy_at_coverage(rights[::-1], confidences[::-1], coverage)
    assert found == pytest.approx(again)
    assert metrics.accuracy_at_coverage(rights, confidences, 1.0) == pytest.approx(np.mean(rights))


def test_accuracy_at_coverage_is_of_the_surest_and_shares_out_ties() -> None:
    rights, confidences = [True, True, False, True, False], [0.9, 0.8, 0.8, 0.4, 0.1]
    assert metrics.accuracy_at_coverage(rights, confidences, 0.2) == 1.0
    assert metrics.accuracy_at_coverage(rights, confidences, 0.4) == pytest.approx(1.5 / 2)
    assert metrics.accuracy_at_coverage(rights, confidences, 0.8) == pytest.approx(3 / 4)
    assert math.isnan(metrics.accuracy_at_coverage([], [], 0.9))
    with pytest.raises(ValueError, match="coverage"):
        metrics.accuracy_at_coverage(rights, confidences, 0.0)


def test_alerts_at_budget_take_the_highest_of_each_day() -> None:
    days, labels = [1, 1, 1, 2, 2], [True, False, False, True, True]
    scores = [0.1, 0.9, 0.2, 0.5, 0.6]
    assert metrics.alerts_at_budget(days, labels, scores, 1) == (0.5, 1 / 3)
    assert metrics.alerts_at_budget(days, labels, scores, 5) == (3 / 5, 1.0)
    with pytest.raises(ValueError, match="budget"):
        metrics.alerts_at_budget(days, labels, scores, 0)


def test_cards_that_were_found_count_no_more_on_later_days() -> None:
    days, cards = [1, 1, 2, 2, 2], ["a", "b", "a", "b", "c"]
    labels, scores = [True, False, True, False, True], [0.9, 0.1, 0.8, 0.7, 0.6]
    assert metrics.card_precision(days, cards, labels, scores, 1) == 1.0
    assert metrics.card_precision(days, cards, labels, scores, 1, drop_found=True) == 0.5
    assert metrics.card_precision(days, cards, labels, scores, 2, drop_found=True) == 0.5
