import random

import pytest

from models.quality.drift import KEPT, DriftWatch


def fed(values: list[float], slow: bool = False, watch: DriftWatch | None = None) -> DriftWatch:
    watch = watch or DriftWatch()
    for at, value in enumerate(values):
        watch.observe("risk", "amount", value, at, slow)
    return watch


@pytest.mark.parametrize("seed", range(4))
def test_no_signal_while_nothing_changes(seed: int) -> None:
    draw = random.Random(seed)
    assert fed([float(draw.random() < 0.3) for _ in range(12_000)], slow=True).signal_count == 0


@pytest.mark.parametrize("seed", range(4))
def test_both_detectors_notice_a_shift(seed: int) -> None:
    draw = random.Random(seed)
    watch = fed([float(draw.random() < 0.2) for _ in range(3_000)], slow=True)
    assert watch.signal_count == 0
    fed([float(draw.random() < 0.5) for _ in range(600)], slow=True, watch=watch)
    assert {signal.what for signal in watch.signals} == {"amount/adwin", "amount/page_hinkley"}
    for signal in watch.signals:
        assert signal.before == pytest.approx(0.2, abs=0.1)
        assert signal.after > signal.before + 0.1


def test_inputs_are_watched_by_one_detector() -> None:
    draw = random.Random(1)
    watch = fed([draw.uniform(0.2, 0.3) for _ in range(500)])
    fed([draw.uniform(0.3, 0.4) for _ in range(500)], watch=watch)
    assert {signal.what for signal in watch.signals} == {"amount/adwin"}


def test_signals_are_numbered_and_only_the_latest_kept() -> None:
    watch = DriftWatch()
    for step in range(3 * KEPT):
        fed([0.1 + 0.8 * (step % 2)] * 200, watch=watch)
    assert watch.signal_count > KEPT
    numbers = [signal.number for signal in watch.signals]
    assert numbers == list(range(watch.signal_count - KEPT + 1, watch.signal_count + 1))
