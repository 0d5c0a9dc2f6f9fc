"""Transactions whose figures are known beforehand."""

import math

import pytest

from models.evaluation.cards import KnownCards
from models.evaluation.dates import (
    DAY_S,
    DaysTested,
    day_of,
    days_tested,
    drift_days,
    name_of,
)
from models.evaluation.drift import shift
from models.evaluation.transaction_report import report_transactions
from models.evaluation.transactions import Stream, TransactionProtocol, TransactionRun
from schemas.errors import RejectedError
from tests.models.evaluation_rows import Row, payments, ticking
from tests.models.memory_desk import policy_with

START_S = day_of("2021-02-01") * DAY_S
POLICY = policy_with(lessons__implicit_share=1.0)


def streamed(rows: list[Row], *, delay: int = 7, drift: bool = False) -> Stream:
    first, last = rows[0].ts, rows[-1].ts
    days = drift_days(first, last) if drift else None
    protocol = TransactionProtocol(days_tested(first, last, delay), delay, days)
    stream = Stream(0, POLICY, protocol, ticking())
    stream.take(rows, lambda count, ts: None)
    return stream


def reported(stream: Stream, run: TransactionRun | None = None) -> dict:
    protocol = stream.protocol
    return report_transactions([run or stream.run], protocol.test, protocol.drift, 5)


@pytest.mark.parametrize(("after_s", "known"), [(7 * DAY_S - 1, 0), (7 * DAY_S, 1)])
def test_frauds_are_unknown_for_seven_days(after_s: int, known: int) -> None:
    rows = [Row("a", START_S, is_fraud=True), Row("b", START_S + after_s)]
    assert streamed(rows).desk.learners.risk.fraud_count == known


@pytest.mark.parametrize(("after_s", "known"), [(2 * DAY_S - 1, 0), (2 * DAY_S, 1)])
def test_frauds_are_known_after_the_delay_that_is_asked_for(after_s: int, known: int) -> None:
    rows = [Row("a", START_S, is_fraud=True), Row("b", START_S + after_s)]
    assert streamed(rows, delay=2).desk.learners.risk.fraud_count == known


@pytest.mark.parametrize(("after_s", "known"), [(7 * DAY_S + 3_599, 0), (7 * DAY_S + 3_600, 1)])
def test_honest_ones_are_known_an_hour_later(after_s: int, known: int) -> None:
    rows = [Row("a", START_S), Row("b", START_S + after_s)]
    stream = streamed(rows)
    facts = stream.desk.learners.knowledge.facts("default", "t", rows[1].ts * 1000)
    assert facts.label is (False if known else None)


def test_baseline_learns_no_label_before_the_desk_does() -> None:
    stream = streamed(payments(150, START_S, 4_000))  # seven days less a few minutes
    assert stream.run.river_learning.count == 0
    later = streamed(payments(200, START_S, 4_000))
    assert later.run.river_learning.count > 0
    risk = later.desk.learners.risk
    assert later.run.river_learning.count >= risk.fraud_count > 0


def test_handbook_days_are_tested_where_a_file_has_them_else_the_last_seven() -> None:
    whole = days_tested(day_of("2018-04-01") * DAY_S, day_of("2018-09-30") * DAY_S, 7)
    assert (name_of(whole.from_day), name_of(whole.until_day)) == ("2018-08-08", "2018-08-14")
    assert (whole.is_book, name_of(whole.train_from_day)) == (True, "2018-07-25")
    other = days_tested(START_S, START_S + 30 * DAY_S, 7)
    assert (name_of(other.from_day), name_of(other.until_day)) == ("2021-02-25", "2021-03-03")
    assert not other.is_book
    short = days_tested(START_S, START_S + DAY_S, 7)
    assert (short.from_day, short.until_day) == (day_of("2021-02-01"), day_of("2021-02-02"))


def test_cards_are_known_when_a_fraud_since_training_began_is_older_than_the_delay() -> None:
    cards = KnownCards(DaysTested(100, 106, 7, True))
    for card, day in [("before", 85), ("first", 86), ("last", 92), ("after", 93)]:
        cards.see_fraud(card, day)
    cards.see_fraud("first", 99)
    known = {day: [c for c in ("before", "first", "last", "after") if cards.is_known(c, day)]
             for day in (100, 101)}  # fmt: skip
    assert known == {100: ["first", "last"], 101: ["first", "last", "after"]}


def test_figures_are_exact_for_scores_that_are_known() -> None:
    stream = streamed([Row("a", START_S + 20 * DAY_S)])
    run = stream.run
    run.test.__init__()  # type: ignore[misc]
    first_day = day_of("2021-02-25")
    for card, fraud, score, known in [
        ("a", True, 0.9, False),
        ("b", False, 0.8, False),
        ("c", True, 0.7, False),
        ("d", True, 0.95, True),
        ("e", False, 0.1, False),
        ("f", False, 0.1, False),
    ]:
        run.test.add(first_day, card, fraud, [score, 1.0 - score, 0.5], known)
    report = reported(stream)
    assert report["average_precision_book"] == pytest.approx((1 + 2 / 3) / 2)
    assert report["average_precision_all"] == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert report["auc_roc"] == pytest.approx(5 / 6)
    assert report["card_precision_100"] == 0.02
    assert (report["precision_at_alert_budget"], report["recall_at_alert_budget"]) == (0.6, 1.0)
    assert (report["test_rows_book"], report["test_frauds_book"]) == (5, 2)
    assert (report["test_rows_all"], report["test_frauds_all"]) == (6, 3)
    flat = report["baselines"]["river_logistic"]
    assert flat["average_precision_book"] == pytest.approx(2 / 5)  # all scores are equal


def test_report_has_what_is_promised_and_weeks_that_add_up() -> None:
    rows = payments(700, START_S, 4_000)
    stream = streamed(rows)
    report = reported(stream)
    for name in (
        "average_precision_book", "average_precision_all", "card_precision_100", "ece",
        "event_us", "event_us_mean", "auc_roc", "ratio_to_river_logistic",
    ):  # fmt: skip
        assert math.isfinite(report[name]), name
        assert math.isfinite(report["by_seed"][0][name]), name
    assert report["average_precision_all"] > 0.5  # a tenth of them are fraud
    assert report["river_logistic"]["event_us"] > 0
    assert set(report["baselines"]) == {"scorecard", "river_logistic"}
    weeks = report["curves"]["average_precision_by_week"]
    assert sum(week["rows"] for week in weeks) == 700
    assert sum(week["frauds"] for week in weeks) == sum(row.is_fraud for row in rows)
    assert report["protocol"] == "last 7 days"
    assert report["curves"]["precision_recall_all"][-1][0] == 1.0


def test_amounts_shift_from_the_day_on() -> None:
    days = drift_days(day_of("2018-04-01") * DAY_S, day_of("2018-09-30") * DAY_S)
    assert (name_of(days.cheap_from), name_of(days.inflated_from)) == ("2018-07-01", "2018-07-16")
    assert [name_of(day) for day in (*days.week_2, *days.week_3)] == [
        "2018-07-23", "2018-07-31", "2018-08-01", "2018-08-07",
    ]  # fmt: skip

    def amount(moment: str, fraud: bool, scenario: str) -> float:
        row = Row("a", day_of(moment) * DAY_S, amount=100.0, is_fraud=fraud, scenario=scenario)
        return shift(row, days).amount

    assert amount("2018-06-30", True, "3") == 100.0
    assert amount("2018-07-01", True, "3") == pytest.approx(4.0)
    assert amount("2018-07-01", True, "2") == amount("2018-07-01", False, "0") == 100.0
    assert amount("2018-07-16", False, "0") == pytest.approx(140.0)
    assert amount("2018-07-16", True, "3") == pytest.approx(5.6)


def test_file_too_short_for_the_drift_is_refused() -> None:
    with pytest.raises(RejectedError, match="38 days"):
        drift_days(START_S, START_S + 60 * DAY_S)


def test_frozen_learner_learns_no_more_while_ours_does() -> None:
    rows = payments(1_000, START_S, 7_000)  # 81 days
    stream = streamed(rows, drift=True)
    frozen = stream.frozen
    assert frozen is not None
    assert 0 < frozen.risk.fraud_count < stream.desk.learners.risk.fraud_count
    assert frozen.knowledge is stream.desk.learners.knowledge
    drift = reported(stream)["drift"]
    assert set(drift) == {
        "average_precision_week_2", "average_precision_week_3", "frozen_week_2", "frozen_week_3",
    }  # fmt: skip
    assert all(0.0 < value <= 1.0 for value in drift.values())
