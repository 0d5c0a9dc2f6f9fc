"""The learners under one contract, each with a seeded stream of its own kind of lessons.

Run as a program it prints the digests after a stream, for comparison between processes.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.learners.anomaly import AnomalyLearner
from models.learners.forest import FraudForest
from models.learners.quantile_logistic import QuantileBinLogistic
from models.learners.risk import RiskLearner
from models.learners.softmax import HashedSoftmaxClassifier

WORDS = ["card", "refund", "pin", "blocked", "fee", "卡片丢失了", "退款还没到", "é", "ﬁne"]


@dataclass(frozen=True, slots=True)
class Case:
    """A learner, how it is taught a lesson, and what it answers (all of it) to an example."""

    make: Callable[[], Any]
    lesson: Callable[[random.Random], Any]
    learn: Callable[[Any, Any], None]
    answer: Callable[[Any, Any], Any]


def ticket(rng: random.Random) -> tuple[str, str]:
    label = rng.choice(["lost", "refund", "transfer", "pin"])
    return " ".join([label, *rng.choices(WORDS, k=rng.randrange(6))]), label


def payment(rng: random.Random) -> tuple[dict[str, float], bool]:
    fraud = rng.random() < 0.2
    x = {f"f{i}": rng.gauss(i * fraud * 0.4, 1.0) for i in range(9)}
    x["flag"] = float(rng.random() < 0.1 + 0.6 * fraud)
    for name in [name for name in x if rng.random() < 0.1]:
        del x[name]
    return x, fraud


def classified(learner: Any, lesson: Any) -> Any:
    text, label = lesson
    shares = learner.predict_proba_one(text)
    return shares, learner.predict_one(text), learner.explain_one(text, label)


def judged(learner: Any, lesson: Any) -> Any:
    x, _ = lesson
    shares, logit = learner.predict_proba_one(x), learner.logit_one(x)
    return shares, logit, learner.predict_one(x), learner.explain_one(x)


def ranked(learner: Any, lesson: Any) -> Any:
    score = learner.score_one(lesson[0])
    return score, learner.rank_one(score)


CASES = {
    "softmax": Case(
        lambda: HashedSoftmaxClassifier(bits=12, reservoir_size=100, seed=3),
        ticket,
        lambda learner, lesson: learner.learn_one(*lesson),
        classified,
    ),
    "bins": Case(
        lambda: QuantileBinLogistic(bin_count=8, first_fit_count=20, warm_up_count=200),
        payment,
        lambda learner, lesson: learner.learn_one(*lesson),
        judged,
    ),
    "forest": Case(
        lambda: FraudForest(max_depth=3, seed=3),
        payment,
        lambda learner, lesson: learner.learn_one(*lesson),
        judged,
    ),
    "risk": Case(
        lambda: RiskLearner(forest=FraudForest(max_depth=3, seed=3)),
        payment,
        lambda learner, lesson: learner.learn_one(*lesson, 0.25),
        judged,
    ),
    "anomaly": Case(
        lambda: AnomalyLearner(window_size=50, rank_size=100, seed=3),
        payment,
        lambda learner, lesson: learner.learn_one(lesson[0]),
        ranked,
    ),
}


def taught(case: Case, count: int, seed: int = 7) -> Any:
    learner, rng = case.make(), random.Random(seed)
    for _ in range(count):
        case.learn(learner, case.lesson(rng))
    return learner


def fingerprint(name: str, count: int) -> str:
    """Digest and answers, as text with every bit of every number."""
    case = CASES[name]
    learner, rng = taught(case, count), random.Random(11)
    answers = [case.answer(learner, case.lesson(rng)) for _ in range(5)]
    return f"{name} {learner.digest()} {answers!r}"


if __name__ == "__main__":
    for name in CASES:
        sys.stdout.write(fingerprint(name, 400) + "\n")
