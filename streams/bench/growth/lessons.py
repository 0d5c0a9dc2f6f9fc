"""What a desk's learners cost: µs a lesson by kind, and what the setting of the batch caps.

Every desk folds every lesson, so this is the one load that more desks do not share out.
"""

import pickle
import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.learning import Learners
from schemas.codec import decode_json
from streams.bench.growth.history import History
from streams.bench.measuring import Spread
from streams.desk.desk import RECORDS_PER_LESSON
from streams.settings import DeskSettings

CUSTOMERS = 2_000
EVENTS = 24_000
ROUNDS = 5
RATES_PER_S = (10, 100, 1_000, 3_000)
FEWEST = 20
"""Of a kind, to be told apart."""


def measure_lessons(
    directory: Path, *, events: int = EVENTS, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Fold a simulated company's lessons, in order, again and again.

    The first half warms the learners up; the second half is measured.

    Args:
        directory: For the events' state; emptied afterwards.
        events: So many are decided to get their lessons.
        rounds: How often the second half is folded, each time from the same learners.
    """
    history = History(directory, customers=CUSTOMERS, past=events, coming=1)
    shutil.rmtree(directory, ignore_errors=True)
    half = len(history.lessons) // 2
    warm = Learners()
    for raw in history.lessons[:half]:
        warm.fold(raw, warm.revision)
    begun = pickle.dumps(warm, protocol=5)
    measured = history.lessons[half:]
    kinds = [_kind(raw) for raw in measured]
    folds = [_fold(pickle.loads(begun), measured, kinds) for _ in range(rounds)]
    by_kind = {
        kind: {
            "us": Spread.over(fold[kind] for fold in folds).as_json(0),
            "share": round(kinds.count(kind) / len(kinds), 4),
        }
        for kind in sorted(set(kinds))
        if kinds.count(kind) >= FEWEST
    }
    mean = Spread.over(fold[""] for fold in folds)
    return {
        "by_kind": by_kind,
        "us": mean.as_json(0),
        "per_s": round(1e6 / mean.median),
        "per_event": round(len(history.lessons) / events, 3),
        "share_of_core": {str(rate): round(rate * mean.median / 1e6, 3) for rate in RATES_PER_S},
        "batch": _cap(mean.median, len(history.lessons) / events),
    }


def _kind(raw: bytes) -> str:
    """Name task and origin: an implicit label of a risk is learned seldom, so it costs less."""
    lesson = decode_json(raw)
    source = lesson["label_source"]
    return f"{lesson['task']}, implicit" if source == "implicit" else str(lesson["task"])


def _fold(learners: Learners, lessons: Sequence[bytes], kinds: Sequence[str]) -> dict[str, float]:
    """Give the mean CPU of each kind in µs, and of all under ``""``."""
    taken_s: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    for raw, kind in zip(lessons, kinds, strict=True):
        began_s = time.thread_time()
        learners.fold(raw, learners.revision)
        lesson_s = time.thread_time() - began_s
        for name in (kind, ""):
            taken_s[name] += lesson_s
            counts[name] += 1
    return {name: taken_s[name] / counts[name] * 1e6 for name in counts}


def _cap(lesson_us: float, per_event: float) -> dict[str, Any]:
    """Reckon what the desk's limits mean: the pauses that they allow, the lessons that they follow.

    Behind a small batch ``lessons_per_batch`` are folded at most, behind a larger one as many as
    it has records over :data:`RECORDS_PER_LESSON`.
    """
    desk = DeskSettings()
    largest = max(desk.lessons_per_batch, desk.batch_records // RECORDS_PER_LESSON)
    return {
        "lessons_per_batch": desk.lessons_per_batch,
        "pause_ms": round(desk.lessons_per_batch * lesson_us / 1e3, 2),
        "batch_records": desk.batch_records,
        "lessons_behind_largest": largest,
        "largest_pause_ms": round(largest * lesson_us / 1e3, 1),
        "followed_per_event": round(1 / RECORDS_PER_LESSON, 2),
        "keeps_pace": per_event <= 1 / RECORDS_PER_LESSON,
    }
