"""What the learner of categories costs against the number of classes.

Texts are a simulated company's tickets, each with a few words that belong to its class: more
classes bring more words, as they do in service.
"""

import os
import pickle
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from models.learners.softmax import HashedSoftmaxClassifier
from schemas.codec import decode_json
from schemas.registry import TICKETS
from streams.bench.growth.history import START_MS, History, own, slice_of
from streams.bench.measuring import Spread, rss_bytes
from streams.desk.store import PartitionStore
from streams.simulator.company import company

COUNTS = (10, 100, 1_000)
LESSONS_PER_CLASS = 10
FEWEST_LESSONS = 2_000
ROUNDS = 5
TEXTS = 300
OWN_WORDS = 12
WORDS_PER_TEXT = 4
OPENED = b"ticket.opened"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a round took, µs a text, and what the learner holds."""

    predict_us: float
    learn_us: float


def measure_classes(
    counts: Sequence[int] = COUNTS, *, rounds: int = ROUNDS, texts: int = TEXTS
) -> dict[str, Any]:
    """Teach one learner for each number of classes, in a process of its own, and time it.

    Args:
        counts: Numbers of classes, rising.
        rounds: Each times so many texts.
        texts: See rounds.
    """
    rows = []
    for count in counts:
        with get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(_measure, (count, rounds, texts)))
    return {
        "known_at_most": HashedSoftmaxClassifier().max_classes,
        "by_classes": [
            {
                **row,
                "predict_ratio": _ratio(row, rows[0], "predict_us"),
                "learn_ratio": _ratio(row, rows[0], "learn_us"),
                "ticket_ratio": _ratio(row, rows[0], "ticket_us"),
            }
            for row in rows
        ],
    }


def examples(class_count: int, count: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Give texts with their class; the classes come in turn first, so that all are known."""
    draw = Random(f"classes:{seed}")
    said = [
        decode_json(event.value)["text"]
        for event in company(seed, 4_000, START_MS, days=2)
        if event.topic == TICKETS.name and OPENED in event.value
    ]
    for number in range(count):
        own = number if number < class_count else draw.randrange(class_count)
        own %= class_count
        words = [f"word{own}x{draw.randrange(OWN_WORDS)}" for _ in range(WORDS_PER_TEXT)]
        yield f"{draw.choice(said)} {' '.join(words)}", f"class-{own}"


def _measure(class_count: int, rounds: int, texts: int) -> dict[str, Any]:
    learner = HashedSoftmaxClassifier(max_classes=max(512, class_count), seed=1)
    lesson_count = max(FEWEST_LESSONS, class_count * LESSONS_PER_CLASS)
    lessons = list(examples(class_count, lesson_count))
    before_bytes = rss_bytes(os.getpid())
    for text, label in lessons:
        learner.learn_one(text, label)
    rss = rss_bytes(os.getpid()) - before_bytes
    timed = list(examples(class_count, class_count + rounds * texts, 2))[class_count:]
    taken = [
        _round(learner, timed[number * texts : (number + 1) * texts]) for number in range(rounds)
    ]
    return {
        "classes": class_count,
        "lessons": lesson_count,
        "predict_us": Spread.over(each.predict_us for each in taken).as_json(0),
        "learn_us": Spread.over(each.learn_us for each in taken).as_json(0),
        "ticket_us": _tickets(learner, rounds).as_json(0),
        "rss_mb": round(rss / 1e6, 1),
        "checkpoint_mb": round(len(pickle.dumps(learner, protocol=5)) / 1e6, 2),
    }


def _round(learner: HashedSoftmaxClassifier, examples: Sequence[tuple[str, str]]) -> Taken:
    predict_s, learn_s = [], []
    for text, _ in examples:
        began_s = time.thread_time()
        learner.rank_one(text, 3)
        predict_s.append(time.thread_time() - began_s)
    for text, label in examples:
        began_s = time.thread_time()
        learner.learn_one(text, label)
        learn_s.append(time.thread_time() - began_s)
    return Taken(median(predict_s) * 1e6, median(learn_s) * 1e6)


def _tickets(learner: HashedSoftmaxClassifier, rounds: int) -> Spread:
    """Give the CPU of deciding about an opened ticket, in µs: the whole of the core and store."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "state")
        history = History(path, customers=300, past=600, coming=1_200)
        opened = [raw for raw in history.coming if OPENED in (raw.value or b"")]
        history.learners.category = learner
        store = PartitionStore(path)
        partition = own(store, history.learners)
        runs = []
        for number in range(rounds + 1):  # the first one warms up
            part = slice_of(opened, partition, history.now_ms)
            began_s = time.thread_time()
            partition.decide(part, lambda: history.now_ms, None)
            taken_s = time.thread_time() - began_s
            partition.discard()
            if number:
                runs.append(taken_s / len(opened) * 1e6)
        store.close()
    return Spread.over(runs)


def _ratio(row: dict[str, Any], first: dict[str, Any], name: str) -> float:
    return round(float(row[name]["median"]) / float(first[name]["median"]), 2)
