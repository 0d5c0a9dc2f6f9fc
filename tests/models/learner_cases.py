"""Everything that learns, under one contract: to add a learner, add a case.

Run as a program it prints the digests after a stream, for comparison between processes.
"""

import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from learner_streams import lesson, pair, payment, small_lesson, ticket, word

from models.asking import AskRules, decide_asking, fold_asking
from models.knowledge import Knowledge
from models.learners.anomaly import AnomalyLearner
from models.learners.digest import digest_content
from models.learners.forest import FraudForest
from models.learners.quantile_logistic import QuantileBinLogistic
from models.learners.ranking import SlidingRank
from models.learners.risk import RiskLearner
from models.learners.softmax import HashedSoftmaxClassifier
from models.learning import Learners
from models.quality.board import LEARNERS, QualityBoard
from models.quality.figures import figures
from models.standins import Standins
from schemas.codec import encode

LESSONS = 300
"""That are compared between processes."""

Kind = Literal["text", "features", "lessons", "other"]


@dataclass(frozen=True, slots=True)
class Case:
    """A learner, how it is taught, what it answers, and what it promises.

    Args:
        make: Makes it, small enough that its bounds are reached within a few hundred lessons.
        lesson: Draws a lesson.
        learn: Teaches a lesson, and gives what the learner's own verb returns.
        answer: Gives everything that it answers to a lesson's example.
        kind: ``text`` or ``features``: estimators with River's verbs, of texts or of named
            numbers; ``lessons``: folds of the desk's lessons; ``other``: has verbs of its own.
        shares: Gives probabilities by class, as `predict_proba_one` does.
        scores: Gives a score in [0, 1], as `score_one` does.
        digest: Of all that decides its future.
        cheap: Draws a lesson that is learned quickly, for very many of them.
        settled_count: Cheap lessons after which it holds as much as it ever will.
        deployed: Makes it as the desk has it, for a million lessons; like ``make`` if None.
        deployed_settled_count: Cheap lessons after which that one has settled.
    """

    make: Callable[[], Any]
    lesson: Callable[[random.Random], Any]
    learn: Callable[[Any, Any], Any]
    answer: Callable[[Any, Any], Any]
    kind: Kind
    shares: bool = False
    scores: bool = False
    digest: Callable[[Any], str] = field(default=lambda learner: learner.digest())
    cheap: Callable[[random.Random], Any] | None = None
    settled_count: int = 3_000
    deployed: Callable[[], Any] | None = None
    deployed_settled_count: int = 100_000

    def drawn(self, rng: random.Random) -> Any:
        """Draw a cheap lesson."""
        return (self.cheap or self.lesson)(rng)


def classified(learner: Any, given: Any) -> Any:
    text, label = given
    shares = learner.predict_proba_one(text)
    return shares, learner.predict_one(text), learner.explain_one(text, label)


def judged(learner: Any, given: Any) -> Any:
    x, _ = given
    shares, logit = learner.predict_proba_one(x), learner.logit_one(x)
    return shares, logit, learner.predict_one(x), learner.explain_one(x)


def scored(learner: Any, given: Any) -> Any:
    score = learner.score_one(given[0])
    return score, learner.rank_one(score)


def teach_label(learner: Any, given: Any) -> Any:
    return learner.learn_one(given[0], given[1])


def fact(rng: random.Random) -> tuple[str, str, str, bool, int, int]:
    """What Knowledge learns."""
    occurred_ms = rng.randrange(10**9)
    subject = f"s{rng.randrange(10**9)}"
    terminal, fraud = f"x{rng.randrange(62)}", rng.random() < 0.3
    return "default", terminal, subject, fraud, occurred_ms, occurred_ms + rng.randrange(10**8)


def standin(rng: random.Random) -> tuple[dict[str, float], int]:
    return pair(rng)[0], rng.randrange(10**9)


def stand_in(standins: Standins, given: tuple[dict[str, float], int]) -> None:
    """Let it wait; now and then a fraud is known, and those before it are taken."""
    features, occurred_ms = given
    standins.add(features, occurred_ms)
    if occurred_ms % 5_000 == 0:
        standins.fraud_known(occurred_ms // 2)
        for _ in standins.ready():
            pass


class Asking:
    """The partition's value by which tickets are chosen to be asked about."""

    rules = AskRules(share=0.2)

    def __init__(self) -> None:
        self.value: dict[str, Any] | None = None

    def learn(self, given: tuple[float, str]) -> None:
        asked = decide_asking(self.value, *given, self.rules).asked
        self.value = fold_asking(self.value, given[0], asked, self.rules.share)

    def answer(self, given: tuple[float, str]) -> Any:
        return list(decide_asking(self.value, *given, self.rules))

    def digest(self) -> str:
        return digest_content(self.value)


def everything(learners: Learners, given: Mapping[str, Any]) -> Any:
    """Give what every head of the learners says to a lesson's example."""
    said: list[Any] = [[learners.quality.trusts(name) for name in LEARNERS]]
    if given["text"] is None:
        example = (given["features"], None)
        said += [judged(learners.risk, example), scored(learners.anomaly, example)]
        terminal, occurred_ms = given["terminal_id"], given["occurred_ms"]
        said.append(list(learners.knowledge.facts(given["tenant"], terminal, occurred_ms)))
    else:
        for head in (learners.category, learners.urgency, learners.mood):
            said.append(classified(head, (given["text"], "lost")))
    return said


def small_texts() -> HashedSoftmaxClassifier:
    return HashedSoftmaxClassifier(bits=12, reservoir_size=100, seed=3)


def small_risk() -> RiskLearner:
    return RiskLearner(
        bins=QuantileBinLogistic(bin_count=8, first_fit_count=20, warm_up_count=200),
        forest=FraudForest(tree_count=3, max_depth=3, seed=3),
    )


def small_learners() -> Learners:
    """The whole fold, of parts that soon hold as much as they ever will."""
    learners = Learners()
    learners.category, learners.urgency, learners.mood = (
        HashedSoftmaxClassifier(reservoir_size=100, seed=seed) for seed in (1, 2, 5)
    )  # of the width to which all heads' texts are hashed at once
    learners.risk = small_risk()
    learners.anomaly = AnomalyLearner(tree_count=4, height=5, window_size=50, rank_size=100, seed=3)
    learners.knowledge = Knowledge(terminals=60)
    return learners


CASES: dict[str, Case] = {
    "softmax": Case(
        small_texts,
        ticket, teach_label, classified, "text", shares=True, cheap=word,
    ),
    "bins": Case(
        lambda: QuantileBinLogistic(bin_count=8, first_fit_count=20, warm_up_count=200),
        payment, teach_label, judged, "features", shares=True, cheap=pair,
    ),
    "forest": Case(
        lambda: FraudForest(max_depth=3, seed=3),
        payment, teach_label, judged, "features", shares=True, cheap=pair, settled_count=5_000,
    ),
    "risk": Case(
        small_risk,
        payment, lambda learner, given: learner.learn_one(*given, 0.25), judged, "features",
        shares=True, scores=True, cheap=pair, settled_count=5_000,
    ),
    "anomaly": Case(
        lambda: AnomalyLearner(tree_count=4, height=5, window_size=50, rank_size=100, seed=3),
        payment, lambda learner, given: learner.learn_one(given[0]), scored, "features",
        scores=True, cheap=pair,
    ),
    "rank": Case(
        lambda: SlidingRank(100),
        lambda rng: rng.random(), lambda learner, given: learner.learn_one(given),
        lambda learner, given: learner.rank_one(given), "other",
        digest=lambda learner: digest_content(learner.size, learner.content()),
    ),
    "knowledge": Case(
        lambda: Knowledge(terminals=60),
        fact, lambda learner, given: learner.learn(*given),
        lambda learner, given: list(learner.facts(given[0], given[1], given[4])), "other",
        settled_count=5_000,
    ),
    "standins": Case(
        Standins, standin, stand_in, lambda learner, given: None, "other",
    ),
    "asking": Case(
        Asking,
        lambda rng: (rng.random(), f"s{rng.randrange(10**9)}"), Asking.learn, Asking.answer,
        "other",
    ),
    "quality": Case(
        QualityBoard, lesson, lambda learner, given: learner.learn(given),
        lambda learner, given: [*map(learner.trusts, LEARNERS), *map(list, figures(learner, 50))],
        "lessons", cheap=small_lesson, settled_count=4_000,
    ),
    "learners": Case(
        small_learners, lesson,
        lambda learner, given: learner.fold(encode(given), learner.revision), everything,
        "lessons", digest=Learners.content_digest, cheap=small_lesson, settled_count=5_000,
        deployed=Learners, deployed_settled_count=400_000,
    ),
}  # fmt: skip


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
    return f"{name} {case.digest(learner)} {answers!r}"


if __name__ == "__main__":
    for name in CASES:
        sys.stdout.write(fingerprint(name, LESSONS) + "\n")
