"""Counts what the journal has acknowledged."""

import time
from collections.abc import Callable

import structlog

from streams.desk.journaling import Judged
from streams.health import catalogue
from streams.health.metrics import Metrics

log = structlog.get_logger(__name__)


class Tally:
    """The metrics of acknowledged batches.

    Args:
        metrics: Of the desk.
        clock: Milliseconds since the epoch.
    """

    def __init__(self, metrics: Metrics, clock: Callable[[], int]) -> None:
        self._metrics = metrics
        self._clock = clock

    def count(self, judged: Judged) -> None:
        """Count a batch: its entries by kind, its dead letters, and how long it took."""
        for _, decided in judged.work:
            self._metrics.count_each(catalogue.ENTRIES, decided.kinds)
            for letter in decided.dead:
                why = {name: value.decode() for name, value in letter.headers}
                topic, stage = why["riverdesk_topic"], why["riverdesk_stage"]
                self._metrics.count(catalogue.DEAD, 1, topic, stage)
        if not judged.published_ms:
            return
        took_s, now_ms = time.perf_counter() - judged.started_at_s, self._clock()
        waits_s = [max(0, now_ms - each) / 1000 for each in judged.published_ms]
        self._metrics.count(catalogue.BATCHES)
        self._metrics.observe(catalogue.BATCH_S, [took_s])
        self._metrics.observe(catalogue.LATENCY, waits_s)
        log.debug(
            "batch_acknowledged",
            record_count=len(judged.published_ms),
            entry_count=sum(len(decided.entries) for _, decided in judged.work),
            dead_count=sum(len(decided.dead) for _, decided in judged.work),
            took_ms=round(took_s * 1000, 1),
        )
