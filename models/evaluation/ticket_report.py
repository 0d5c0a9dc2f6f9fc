"""What is reported of evaluated tickets: means over the shuffles, each shuffle's value beside."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from models.evaluation.figures import BINS, coverage_curve, reliability, running_accuracy
from models.evaluation.tickets import OURS, Contestant, Guesses, TicketRun
from models.metrics import accuracy, accuracy_at_coverage, expected_calibration_error, macro_f1

LAST = 0.2
"""The share of the stream that is the test part of a file without one."""
COVERAGE = 0.9


def report_tickets(runs: Sequence[TicketRun]) -> dict[str, Any]:
    """Give the figures of all shuffles; what is not known is ``None``."""
    shuffles = [_figures(run) for run in runs]
    names = list(dict.fromkeys(name for run in runs for name in run.contestants if name != OURS))
    means = {name: mean_of([each[name] for each in shuffles]) for name in shuffles[0]}
    first = runs[0]
    tested = _tested(first, OURS)
    return {
        "tested_on": "the file's test part, after the stream"
        if first.test_truths
        else "the last fifth of the stream, each ticket before its label",
        "tested_count": len(tested[0]),
        **means,
        "by_shuffle": shuffles,
        "baselines": {name: _baseline(name, runs) for name in names},
        "curves": {
            "of": "shuffle 0",
            "prequential": {
                name: running_accuracy(_rights(first.truths, each.stream))
                for name, each in first.contestants.items()
            },
            "reliability": reliability(_rights(*tested), tested[1].confidences),
            "coverage": coverage_curve(_rights(*tested), tested[1].confidences),
        },
    }


def mean_of(values: Sequence[float | None]) -> float | None:
    """Give the mean of the values that are known; ``None`` without any."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    return fmean(known) if known else None


def _figures(run: TicketRun) -> dict[str, float | None]:
    ours = run.contestants[OURS]
    truths, guesses = _tested(run, OURS)
    rights = _rights(truths, guesses)
    river = run.contestants.get("river_multinomial_nb")
    return {
        "test_accuracy": _known(accuracy(truths, guesses.labels)),
        "prequential_accuracy": _known(accuracy(run.truths, ours.stream.labels)),
        "prequential_accuracy_last_fifth": _last_fifth(run, ours),
        "macro_f1": _known(macro_f1(truths, [_name(label) for label in guesses.labels])),
        "ece": _known(expected_calibration_error(rights, guesses.confidences, BINS)),
        "accuracy_at_90_coverage": _known(
            accuracy_at_coverage(rights, guesses.confidences, COVERAGE)
        ),
        **_answered(rights, guesses),
        "label_share_used": run.asked_count / len(run.truths),
        "predict_us": _known(ours.predict_us),
        "predict_us_in_stream": _known(ours.predicting.p50_us),
        "learn_us": _known(ours.learning.p50_us),
        "ratio_to_river_mnb": None if river is None else _known(river.predict_us / ours.predict_us),
    }


def _answered(rights: Sequence[bool], guesses: Guesses) -> dict[str, float | None]:
    """Give how many the desk answers for at the policy's precision, and how many are right."""
    right = [each for each, answered in zip(rights, guesses.answered, strict=True) if answered]
    return {
        "answered_share": len(right) / len(rights) if rights else None,
        "answered_accuracy": sum(right) / len(right) if right else None,
    }


def _baseline(name: str, runs: Sequence[TicketRun]) -> dict[str, Any]:
    met = [run for run in runs if name in run.contestants]
    each = [(run, run.contestants[name]) for run in met]
    return {
        "prequential_accuracy": mean_of([accuracy(r.truths, c.stream.labels) for r, c in each]),
        "prequential_accuracy_last_fifth": mean_of([_last_fifth(r, c) for r, c in each]),
        "test_accuracy": mean_of(
            [accuracy(_tested(r, name)[0], _tested(r, name)[1].labels) for r, _ in each]
        ),
        "predict_us": mean_of([c.predict_us for _, c in each]),
        "learn_us": mean_of([c.learning.p50_us for _, c in each]),
        "shuffles": len(met),
    }


def _tested(run: TicketRun, name: str) -> tuple[list[str], Guesses]:
    """Give truths and guesses of the test part, or of the last fifth of the stream."""
    contestant = run.contestants[name]
    if run.test_truths:
        return run.test_truths, contestant.test
    begin = _begin(run)
    stream = contestant.stream
    return run.truths[begin:], Guesses(
        stream.labels[begin:], stream.confidences[begin:], stream.answered[begin:]
    )


def _last_fifth(run: TicketRun, contestant: Contestant) -> float | None:
    begin = _begin(run)
    return _known(accuracy(run.truths[begin:], contestant.stream.labels[begin:]))


def _begin(run: TicketRun) -> int:
    return int(len(run.truths) * (1.0 - LAST))


def _rights(truths: Sequence[str], guesses: Guesses) -> list[bool]:
    return [truth == guess for truth, guess in zip(truths, guesses.labels, strict=True)]


def _name(label: str | None) -> str:
    """Give a guess a name where there is none: it is a class that no ticket has."""
    return "" if label is None else label


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
