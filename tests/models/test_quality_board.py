"""Scorecards on constructed lessons, against the definitions on all of them."""

import pickle
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_lessons import DAY_MS, judged, lesson, sampled

from models import metrics
from models.quality.board import QualityBoard
from models.quality.figures import Figure, figures
from schemas.outputs import Lesson

Figures = dict[tuple[str, str, str, str], Figure]


def shown(board: QualityBoard, budget: int = 100) -> Figures:
    return {
        (each.learner, each.metric, each.segment, each.maturity): each
        for each in figures(board, budget)
    }


def folded(lessons: list[Lesson]) -> QualityBoard:
    board = QualityBoard()
    for each in lessons:
        board.learn(each)
    return board


def classified(count: int, seed: int = 3) -> tuple[list[Lesson], list[str], list[dict[str, float]]]:
    """Tickets of three classes, the learner right in seven of ten."""
    draw, lessons, labels, said = random.Random(seed), [], [], []
    for _ in range(count):
        label = draw.choices("abc", [5, 3, 2])[0]
        guess = label if draw.random() < 0.7 else draw.choice("abc")
        confidence = draw.uniform(0.4, 0.99)
        rest = [name for name in "abc" if name != guess]
        scores = {
            guess: confidence,
            rest[0]: (1 - confidence) * 0.6,
            rest[1]: (1 - confidence) * 0.4,
        }
        lessons.append(
            lesson(
                "category", label, scores, answered=confidence > 0.6,
                features={"chinese": float(label == "c")},
            )
        )  # fmt: skip
        labels.append(label)
        said.append(scores)
    return lessons, labels, said


def test_classification_figures_are_those_of_all_examples() -> None:
    lessons, labels, said = classified(3_000)
    found = shown(folded(lessons))
    guesses = [max(scores, key=lambda name: scores[name]) for scores in said]
    right = np.array([guess == label for guess, label in zip(guesses, labels, strict=True)])
    sure = np.array([max(scores.values()) for scores in said])
    exact = {
        "accuracy": right.mean(),
        "log_loss": np.mean([-np.log(s[label]) for s, label in zip(said, labels, strict=True)]),
        "ece": metrics.expected_calibration_error(right, sure),
        "answered_share": np.mean(sure > 0.6),
        "accuracy_answered": right[sure > 0.6].mean(),
    }
    for metric, value in exact.items():
        figure = found["category", metric, "all", "all"]
        assert figure.value == pytest.approx(value)
        assert figure.window_count == 3_000
    chinese = np.array([label == "c" for label in labels])
    assert found["category", "accuracy", "language=zh", "all"].value == pytest.approx(
        right[chinese].mean()
    )
    assert found["category", "accuracy", "answer=withheld", "all"].value == pytest.approx(
        right[sure <= 0.6].mean()
    )


def test_baseline_is_the_commonest_class_known_before_the_example() -> None:
    lessons, labels, _ = classified(500)
    seen: Counter[str] = Counter()
    hits = 0
    for label in labels:
        best = max(seen, key=lambda name: seen[name]) if seen else None
        hits += label == best
        seen[label] += 1
    figure = shown(folded(lessons))["category", "accuracy", "all", "all"]
    assert figure.baseline == pytest.approx(hits / 500, abs=0.01)  # ties may go either way
    first = shown(folded(lessons[:1]))["category", "accuracy", "all", "all"]
    assert first.baseline == 0.0


def test_urgency_and_mood_have_the_word_rules_to_beat() -> None:
    board = QualityBoard()
    for text, label in (("somebody has stolen my card", "critical"), ("hello", "critical")):
        board.learn(lesson("urgency", label, {"low": 0.9}, text=text))
    board.learn(lesson("mood", "angry", {"neutral": 0.9}, text="this is a scandal!!! 太差了!!!"))
    found = shown(board)
    assert found["urgency", "accuracy", "all", "all"].baseline == 0.5
    assert found["urgency", "accuracy", "all", "all"].value == 0.0
    assert found["mood", "accuracy", "all", "all"].baseline in (0.0, 1.0)


def test_class_that_nobody_named_shares_what_the_others_leave() -> None:
    board = QualityBoard()
    for label in "abcde":
        board.learn(lesson("category", label, {}))
    board.learn(lesson("category", "e", {"a": 0.7, "b": 0.1}))
    figure = shown(board)["category", "log_loss", "all", "all"]
    assert figure.value == pytest.approx(-np.log(0.2 / 3))
    assert figure.window_count == 1  # nothing was said about the others


def scored(count: int, seed: int) -> list[tuple[bool, float, float]]:
    """Frauds (2 %), with scores of a good learner and of a worse scorecard."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        fraud = draw.random() < 0.02
        own, base = draw.gauss(3.0 * fraud - 5, 1.2), draw.gauss(1.5 * fraud - 5, 1.5)
        found.append((fraud, 1 / (1 + np.exp(-own)), 1 / (1 + np.exp(-base))))
    return found


def test_detection_figures_are_those_of_all_examples() -> None:
    examples = scored(20_000, seed=1)
    board = folded([sampled(0.01, known_ms=0)])
    board.learn(sampled(0.01, known_ms=DAY_MS, occurred_ms=DAY_MS))
    for fraud, own, base in examples:
        board.learn(judged(fraud, own, base, known_ms=DAY_MS, occurred_ms=DAY_MS))
    labels, risks, bases = map(np.array, zip(*examples, strict=True))
    found = shown(board, budget=20)
    average = found["risk", "average_precision", "all", "all"]
    assert average.value == pytest.approx(metrics.average_precision(labels, risks), abs=0.005)
    assert average.baseline == pytest.approx(metrics.average_precision(labels, bases), abs=0.005)
    assert found["risk", "fraud_share", "all", "all"].value == pytest.approx(labels.mean())
    ece = metrics.expected_calibration_error(labels, risks)
    assert found["risk", "ece", "all", "all"].value == pytest.approx(ece)
    ratio = found["risk", "expected_ratio", "all", "all"]
    assert ratio.value == pytest.approx(risks.sum() / labels.sum())
    per_day = board.decisions_per_day("transaction")
    assert per_day == pytest.approx(190, rel=0.1)  # 200 sampled for, in a day and its shadow
    taken = round(20 / per_day * len(labels))
    hits = labels[np.argsort(-risks)[:taken]].sum()
    precision = found["risk", "precision_at_budget", "all", "all"]
    recall = found["risk", "recall_at_budget", "all", "all"]
    assert precision.value == pytest.approx(hits / taken, abs=0.02)
    assert recall.value == pytest.approx(hits / labels.sum(), abs=0.02)
    assert recall.baseline is not None
    assert recall.baseline < recall.value


def test_anomaly_rank_is_judged_by_the_same_labels() -> None:
    draw, board = random.Random(2), QualityBoard()
    labels, ranks = [], []
    for _ in range(4_000):
        fraud = draw.random() < 0.05
        rank = min(draw.random() + 0.4 * fraud, 1.0)
        labels.append(fraud)
        ranks.append(rank)
        board.learn(judged(fraud, 0.0, scores={"anomaly": rank}))
    found = shown(board)
    figure = found["anomaly", "average_precision", "all", "all"]
    assert figure.value == pytest.approx(metrics.average_precision(labels, ranks), abs=0.005)
    assert figure.baseline == pytest.approx(np.mean(labels))
    assert not [key for key in found if key[0] == "risk"]


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_sampled_negatives_stand_for_all_of_them(share: float) -> None:
    examples = scored(6_000, seed=4)
    labels, risks, _ = map(np.array, zip(*examples, strict=True))
    exact = {
        "average_precision": metrics.average_precision(labels, risks),
        "fraud_share": labels.mean(),
        "expected_ratio": risks.sum() / labels.sum(),
        "ece": metrics.expected_calibration_error(labels, risks),
    }
    seen: dict[str, list[float]] = {metric: [] for metric in exact}
    for seed in range(12):
        draw = random.Random(seed)
        kept = [
            judged(fraud, own, base, propensity=1.0 if fraud else share)
            for fraud, own, base in examples
            if fraud or draw.random() < share
        ]
        found = shown(folded(kept))
        for metric in exact:
            seen[metric].append(found["risk", metric, "all", "all"].value)
    for metric, value in exact.items():
        error = np.std(seen[metric]) / np.sqrt(len(seen[metric]))
        assert np.mean(seen[metric]) == pytest.approx(value, abs=3 * error + 0.01)
    unweighted = labels.sum() / (labels.sum() + share * (~labels).sum())
    assert np.mean(seen["fraud_share"]) < unweighted / 2  # so it would be without propensities


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.25, 1.0])), min_size=1, max_size=40)
)
@settings(max_examples=40, deadline=None)
def test_accuracy_weighs_each_label_by_one_over_its_propensity(
    labels: list[tuple[bool, float]],
) -> None:
    board = folded([
        lesson("category", "a" if right else "b", {"a": 0.8}, propensity=share, asked=True)
        for right, share in labels
    ])  # fmt: skip
    weights = [1 / share for _, share in labels]
    exact = sum(w for w, (right, _) in zip(weights, labels, strict=True) if right) / sum(weights)
    found = shown(board)
    assert found["category", "accuracy", "all", "all"].value == pytest.approx(exact)
    assert found["category", "accuracy", "label=asked", "all"].value == pytest.approx(exact)


def test_label_seven_days_older_counts_half() -> None:
    board = QualityBoard()
    for _ in range(30):
        board.learn(lesson("category", "b", {"a": 0.8}, known_ms=10 * DAY_MS))
    for _ in range(30):
        board.learn(lesson("category", "a", {"a": 0.8}, known_ms=17 * DAY_MS))
    figure = shown(board)["category", "accuracy", "all", "all"]
    assert figure.value == pytest.approx(2 / 3)
    assert figure.window_count == 45


def test_years_pass_without_harm() -> None:
    board = QualityBoard()
    for day in range(0, 3_000, 3):
        right = day > 2_900
        board.learn(lesson("category", "a" if right else "b", {"a": 0.8}, known_ms=day * DAY_MS))
        board.learn(judged(day % 2 == 0, 0.9 if day % 2 == 0 else 0.1, known_ms=day * DAY_MS))
    found = shown(board)
    assert found["category", "accuracy", "all", "all"].value > 0.999
    assert found["risk", "average_precision", "all", "all"].value == pytest.approx(1.0)
    assert found["category", "accuracy", "all", "all"].window_count == 4


def test_missing_labels_are_counted_from_the_sample() -> None:
    board, draw = QualityBoard(), random.Random(7)
    count, share = 8_000, 0.2
    for n in range(count):
        features = {"amount": 5.0 if n % 4 else 50.0}
        if draw.random() < share:
            board.learn(sampled(share, features=features))
        if n % 10 == 0:
            board.learn(judged(n % 100 == 0, 0.1, features=features))
    found = shown(board)
    assert found["risk", "fraud_share", "all", "all"].missing_count == pytest.approx(
        7_200, rel=0.05
    )
    large = found["risk", "average_precision", "amount=10-100", "all"]
    assert large.missing_count == pytest.approx(2_000 - 400, rel=0.1)
    assert found["risk", "fraud_share", "all", "all"].window_count == 800


def test_implicit_negatives_leave_only_what_neither_people_nor_time_judged() -> None:
    board, draw = QualityBoard(), random.Random(8)
    for n in range(6_000):
        if draw.random() < 0.2:
            board.learn(sampled(0.2))
        if n % 50 == 0:
            board.learn(judged(True, 0.5))
        elif n % 2 and draw.random() < 0.1:
            board.learn(judged(False, 0.1, propensity=0.1, label_source="implicit"))
    figure = shown(board)["risk", "fraud_share", "all", "all"]
    assert figure.missing_count == pytest.approx(6_000 - 120 - 3_000, rel=0.15)
    assert figure.value == pytest.approx(120 / 3_120, rel=0.15)


def test_unlabelled_tickets_count_as_missing() -> None:
    board = QualityBoard()
    for n in range(200):
        board.learn(
            lesson(
                "category", None, {"a": 0.5}, propensity=0.5, label_source="sample",
                features={"text_chars": 20.0, "chinese": float(n % 2)}, answered=False,
            )
        )  # fmt: skip
    for _ in range(100):
        board.learn(lesson("category", "a", {"a": 0.5}, answered=False))
    found = shown(board)
    assert found["category", "accuracy", "all", "all"].missing_count == 300
    assert found["category", "accuracy", "language=other", "all"].missing_count == 100


def test_frauds_of_each_age_are_looked_for_among_all_the_others() -> None:
    board = QualityBoard()
    early, late = [0.9, 0.8], [0.05, 0.001]
    others = [0.01 * n for n in range(60)]
    for score in early:
        board.learn(judged(True, score, occurred_ms=9 * DAY_MS, known_ms=9 * DAY_MS + 1))
    for score in late:
        board.learn(judged(True, score, occurred_ms=DAY_MS, known_ms=9 * DAY_MS))
    for score in others:
        board.learn(judged(False, score, occurred_ms=DAY_MS, known_ms=9 * DAY_MS))
    found = shown(board)
    for name, scores in (("0-1d", early), ("7d+", late)):
        exact = metrics.average_precision([1] * 2 + [0] * 60, [*scores, *others])
        figure = found["risk", "average_precision", "all", name]
        assert figure.value == pytest.approx(exact, abs=0.02)
        assert figure.window_count == 2
    assert ("risk", "average_precision", "all", "1-7d") not in found


def test_correction_takes_the_former_label_back() -> None:
    def taught(*labels: tuple[bool, float, int]) -> QualityBoard:
        board, former = folded([judged(False, 0.2, known_ms=DAY_MS), judged(True, 0.7)]), None
        for label, propensity, day in labels:
            previous = None if former is None else dict(
                zip(("label", "propensity", "known_ms"), former, strict=True)
            )  # fmt: skip
            board.learn(
                judged(label, 0.4, known_ms=day * DAY_MS, propensity=propensity, previous=previous)
            )
            former = (label, propensity, day * DAY_MS)
        return board

    corrected = shown(taught((False, 0.1, 8), (True, 1.0, 9)))
    at_once = shown(taught((True, 1.0, 9)))
    assert corrected.keys() == at_once.keys()
    for key, figure in at_once.items():
        if key[1] != "log_loss":  # its baseline knew more by then
            assert corrected[key].value == pytest.approx(figure.value), key
            assert corrected[key].window_count == figure.window_count


def test_figures_of_a_day_are_some_dozens() -> None:
    draw = random.Random(1)
    board = QualityBoard()
    for n in range(4_000):
        at: Any = {"occurred_ms": 0, "known_ms": draw.choice([1, 5, 9]) * DAY_MS}
        features = {"amount": draw.choice([1.0, 20.0, 200.0, 3_000.0]), "card_absent": n % 2 * 1.0}
        if n % 3:
            features["terminal_label"] = 0.0
        board.learn(judged(n % 9 == 0, draw.random(), features=features, **at))
        board.learn(sampled(0.2, features=features, known_ms=at["known_ms"]))
        for task in ("category", "urgency", "mood"):
            features = {"chinese": n % 2 * 1.0}
            board.learn(
                lesson(
                    task, draw.choice(["a", "b"]), {"a": 0.6}, features=features,
                    answered=n % 3 > 0, asked=n % 5 == 0, **at,
                )
            )  # fmt: skip
    assert 60 < len(figures(board, 200)) < 120


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.quality.tallies.MAX_CLASSES", 50)
    board = QualityBoard()
    for n in range(2_000):
        board.learn(lesson("category", f"c{n}", {f"c{n}": 0.5}, known_ms=n * DAY_MS))
        board.learn(judged(n % 3 == 0, 0.5, known_ms=n * DAY_MS))
        board.learn(sampled(0.1, known_ms=n * DAY_MS))
    half = len(pickle.dumps(board))
    for n in range(2_000, 6_000):
        board.learn(lesson("category", f"c{n}", {f"c{n}": 0.5}, known_ms=n * DAY_MS))
        board.learn(judged(n % 3 == 0, 0.5, known_ms=n * DAY_MS))
        board.learn(sampled(0.1, known_ms=n * DAY_MS))
    assert len(board.classes["category"].shares) == 50
    assert len(pickle.dumps(board)) < half * 1.2


def test_pickled_board_goes_on_alike() -> None:
    lessons = [*classified(400)[0], *(judged(*each) for each in scored(400, 2))]
    random.Random(5).shuffle(lessons)
    board = folded(lessons[:500])
    again = pickle.loads(pickle.dumps(board))
    assert again.digest() == board.digest()
    for each in lessons[500:]:
        board.learn(each)
        again.learn(each)
    assert again.digest() == board.digest() == folded(lessons).digest()
    assert figures(again, 50) == figures(board, 50)
    assert folded(lessons[:-1]).digest() != board.digest()


@pytest.mark.parametrize(
    "odd",
    [
        judged(True, 1.7), judged(False, -3.0), judged(True, 0.5, propensity=0.0),
        judged(True, 0.5, scores={}), judged(True, 0.5, features={"amount": -5.0}),
        lesson("category", "a", {"a": 9.0}), lesson("category", "a", {}, propensity=-1.0),
        lesson("category", True, {"a": 1.0}), lesson("risk", "a", {"risk": 1.0}),
        lesson("anomaly", "a", {}), sampled(0.0, features={"amount": -1.0}),
        judged(True, 0.5, known_ms=-(10**15)), judged(True, 0.5, occurred_ms=10**17),
        lesson("urgency", "high", {"low": 0.5}, text=None),
    ],
)  # fmt: skip
def test_odd_lesson_does_no_harm(odd: Lesson) -> None:
    board = folded([*classified(50)[0], odd, *classified(50)[0]])
    for figure in figures(board, 10):
        assert np.isfinite(figure.value)
        assert figure.missing_count >= 0
