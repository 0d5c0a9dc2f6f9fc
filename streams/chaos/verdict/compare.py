"""Compares, by id and by content: inputs, journal, topics, dead letters and warehouse."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.registry import JOURNAL, QUALITY_TOPIC
from schemas.registry import LESSONS as LESSONS_TOPIC
from sinks.readback import Readback, WarehouseReadback
from sinks.tables import LESSONS, QUALITY
from streams.chaos.published import Published
from streams.chaos.verdict.inputs import Inputs
from streams.chaos.verdict.journal import PLACES, JournalWalk, Record, Revisions
from streams.chaos.verdict.letters import compare_letters
from streams.chaos.verdict.logs import KafkaLogs, Logs, Stood
from streams.chaos.verdict.outputs import LessonChain, compare_topic
from streams.chaos.verdict.shelf import Shelf
from streams.chaos.verdict.statuses import StatusCheck, named_revisions
from streams.chaos.verdict.tables import JOURNAL_TABLES, TableCheck, compare_counts
from streams.chaos.verdict.verdict import Findings, Verdict
from streams.settings import Settings
from streams.warehouse import open_warehouse


def compare(
    settings: Settings,
    partition_count: int,
    published: Published,
    desk_statuses: Sequence[Mapping[str, Any]] = (),
) -> Verdict:
    """Compare everything that a finished load left behind.

    Call it when the load has settled: everything published is folded, published and archived.
    It only reads, and needs the broker and the warehouse but no role. Desks may be stopped before
    (after their statuses were taken): with the wall's clock their ticks would go on.

    Args:
        settings: Broker, warehouse, and the masking key that the desks used.
        partition_count: Of inputs, journal and outputs.
        published: Every acknowledged input record.
        desk_statuses: ``/status`` of each running desk, asked after the load settled; what they
            say of each partition must be what a fold of the journal gives.

    Raises:
        UnavailableError: broker or warehouse do not answer for long, or something was still
            appended meanwhile; nothing was judged.
        IncompatibleError: a log that must be whole has a gap.
    """
    with KafkaLogs(settings.kafka) as logs, open_warehouse(settings.warehouse) as warehouse:
        masking_key = settings.masking_key.get_secret_value().encode()
        verdict = Comparison(
            logs, WarehouseReadback(warehouse), partition_count, masking_key, published
        ).run(desk_statuses)
        logs.require_still()
    return verdict


class Comparison:
    """One comparison, wherever logs and tables are read from.

    Args:
        logs: The topics.
        readback: The warehouse's tables.
        partition_count: Of inputs, journal and outputs.
        masking_key: That the desks used.
        published: Every acknowledged input record.
    """

    def __init__(
        self,
        logs: Logs,
        readback: Readback,
        partition_count: int,
        masking_key: bytes,
        published: Published,
    ) -> None:
        self._logs = logs
        self._readback = readback
        self._partition_count = partition_count
        self._masking_key = masking_key
        self._published = published
        self._findings = Findings()
        self._revisions: Revisions = {}
        self._effects: dict[str, dict[int, Shelf]] = {topic: {} for topic in PLACES}

    def run(self, desk_statuses: Sequence[Mapping[str, Any]] = ()) -> Verdict:
        """Compare everything, one partition at a time, and give the result."""
        statuses = StatusCheck(desk_statuses, self._findings)
        statuses.owners(self._partition_count)
        for partition in range(self._partition_count):
            self._compare_partition(partition, statuses)
        named_revisions(desk_statuses, self._revisions, self._findings)
        self._compare_outputs()
        compare_counts(self._readback, self._findings)
        return self._findings.verdict()

    def _compare_partition(self, partition: int, statuses: StatusCheck) -> None:
        inputs = Inputs(partition, self._partition_count, self._masking_key)
        inputs.read(self._logs, self._published, self._findings)
        walk = JournalWalk(partition, inputs, self._revisions, self._findings)
        tables = TableCheck(self._readback, partition, JOURNAL_TABLES, self._findings)

        def accepted(record: Record, stood: Stood) -> None:
            tables.add_journal(record, stood)

        def before(offset: int) -> None:
            statuses.reached(partition, offset, walk)

        walk.walk(self._logs.read(JOURNAL.name, partition), accepted, before)
        statuses.reached(partition, None, walk)
        tables.finish()
        compare_letters(self._logs, partition, inputs, walk, self._findings)
        for topic, shelf in walk.effects.items():
            self._effects[topic][partition] = shelf

    def _compare_outputs(self) -> None:
        lessons = LessonChain(self._revisions, self._findings)
        rows = TableCheck(self._readback, 0, [LESSONS], self._findings)

        def each_lesson(stood: Stood) -> None:
            lessons.add(stood)
            rows.add_single(LESSONS_TOPIC.name, stood)

        figures = TableCheck(self._readback, 0, [QUALITY], self._findings)
        alone: dict[str, Callable[[Stood], None]] = {
            LESSONS_TOPIC.name: each_lesson,
            QUALITY_TOPIC.name: lambda stood: figures.add_single(QUALITY_TOPIC.name, stood),
        }
        for topic, effects in self._effects.items():
            if topic in alone:
                compare_topic(self._logs, topic, 1, effects, self._findings, alone[topic])
            else:
                compare_topic(self._logs, topic, self._partition_count, effects, self._findings)
        lessons.finish()
        rows.finish()
        figures.finish()
