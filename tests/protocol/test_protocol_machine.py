"""The model's faults on the real parts of the desk: takeover, store, partition, fold, rule."""

import asyncio
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models.learning import Learners
from schemas.codec import digest_bytes
from schemas.errors import UnavailableError
from schemas.registry import dead_topic
from streams.desk import takeover
from streams.desk.cache import CacheBudget
from streams.desk.guard import DeadLetterLimit
from streams.desk.journaling import Journaling, Judged
from streams.desk.partition import Partition
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore, remove
from streams.intake.batches import Raw, Slice
from streams.journal.fold import fold
from streams.settings import KafkaSettings
from tests.protocol.simulated import Broker, Plan, SimulatedWriter
from tests.streams.desk_events import (
    PARTITION,
    PARTITION_COUNT,
    START_MS,
    TOPIC_BY_KIND,
    event,
    raw,
)

TOPICS = (TOPIC_BY_KIND["transaction"], TOPIC_BY_KIND["feedback"])
WORKERS = st.integers(0, 1)
KINDS = st.sampled_from(["transaction", "transaction", "feedback", "poison"])
PLANS = st.builds(
    Plan,
    landed=st.sampled_from([None, None, None, 0, 1, 2]),
    refused=st.sampled_from([None, None, None, 0, 1]),
    heard=st.sampled_from([True, True, False]),
)


class Worker:
    """One desk: a store on disk, perhaps a partition, and slices under way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partition: Partition | None = None
        self.reads: dict[str, int] = {}
        self.slices: list[Slice] = []
        self.journaling: Journaling | None = None

    def forget_unsaved(self) -> None:
        """Nothing is written any more, as after SIGKILL."""
        if self.partition is not None:
            self.partition.store._unsaved_since_s = None

    def drop(self) -> None:
        self.journaling = None
        if self.partition is not None:
            self.partition.discard()
            self.partition.store.close()
            self.partition = None


class DeskMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.broker = Broker()
        self.inputs: dict[str, list[Raw]] = {topic: [] for topic in TOPICS}
        self.workers = [Worker(Path(self.directory.name) / str(n)) for n in (0, 1)]
        self.learners = Learners()
        self.clock_ms = START_MS
        self.patch = pytest.MonkeyPatch()
        broker = self.broker
        for name, value in {
            "make_consumer": lambda *args, **more: SimpleNamespace(close=lambda: None),
            "Writer": lambda kafka: SimulatedWriter(broker),
            "end_offset": lambda *args: len(broker.log),
            "read": lambda consumer, topic, number, start, end: broker.entries(start, end),
        }.items():
            self.patch.setattr(takeover, name, value)

    # -- what happens: one rule, for Hypothesis leaves rules out of most examples ----------------

    @initialize(kinds=st.lists(KINDS, min_size=3, max_size=5))
    def begin(self, kinds: list[str]) -> None:
        for kind in kinds:
            self._publish(kind, 0, 3)
        self._own(self.workers[0])

    @rule(
        what=st.sampled_from(["work"] * 6 + ["publish", "take over", "land late"]), data=st.data()
    )
    def step(self, what: str, data: st.DataObject) -> None:
        if what == "publish":
            minutes = data.draw(st.sampled_from([1, 3, 6_000]))
            self._publish(data.draw(KINDS), data.draw(st.integers(0, 3)), minutes)
        elif what == "take over":
            self._take_over(self.workers[data.draw(WORKERS)], data)
        elif what == "work":
            self._work(self.workers[data.draw(WORKERS)], data)
        elif self.broker.late:
            self.broker.land_late(data.draw(st.integers(0, 9)), data.draw(st.integers(1, 3)))

    def _publish(self, kind: str, subject: int, minutes: int) -> None:
        self.clock_ms += minutes * 60_000
        topic_kind = "transaction" if kind == "poison" else kind
        log = self.inputs[TOPIC_BY_KIND[topic_kind]]
        at = (self.clock_ms - START_MS) / 60_000
        value = b"{" if kind == "poison" else event(topic_kind, f"s{subject}", at)
        log.append(raw(topic_kind, len(log), value, ms=self.clock_ms))

    def _take_over(self, worker: Worker, data: st.DataObject) -> None:
        before = data.draw(st.sampled_from(["thrown back", "thrown back", "crashed", "lost"]))
        if before == "crashed":
            worker.forget_unsaved()
        worker.drop()
        if before != "thrown back":
            worker.slices.clear()
        if before == "lost" and worker.path.exists():
            remove(worker.path)
        heard = data.draw(st.sampled_from(["yes", "yes", "yes", "no", "late"]))
        if heard != "yes":
            self.broker.plan = Plan(landed=0) if heard == "late" else Plan(heard=False)
        try:
            self._own(worker)
        except UnavailableError:
            assert heard != "yes"

    def _work(self, worker: Worker, data: st.DataObject) -> None:
        """Read slices, decide some of those that wait; the plan strikes the last one."""
        if worker.partition is None:
            self._own(worker)
        for _ in range(data.draw(st.integers(1, 2))):
            topics = data.draw(st.sampled_from([TOPICS, TOPICS[:1], TOPICS[1:]]))
            if len(worker.slices) < 4:
                self._read(worker, dict.fromkeys(topics, data.draw(st.sampled_from([1, 2, 0]))))
        decides = data.draw(st.integers(1, 2))
        plan, saved = data.draw(PLANS), data.draw(st.sampled_from([True, True, False]))
        under_way, write = data.draw(st.sampled_from([0, 1])), data.draw(st.booleans())
        for left in reversed(range(decides)):
            if worker.slices:
                self._decide(worker, Plan() if left else plan, saved or left > 0, under_way, write)

    # -- what must hold -------------------------------------------------------------------------

    @invariant()
    def accepted_records_answer_each_input_once_and_in_order(self) -> None:
        next_of = dict.fromkeys(TOPICS, 0)
        letters = {
            (each.topic, dict(each.headers)["riverdesk_offset"]) for each in self.broker.dead
        }
        for record in self.broker.accepted():
            if record["kind"] == "tick":
                for topic in TOPICS:
                    older = [
                        each.offset
                        for each in self.inputs[topic][next_of[topic] :]
                        if each.published_ms < record["tick_ms"]
                    ]
                    assert not older, (topic, older)
            source: Any = record.get("source")
            if source is None:
                continue
            assert source["offset"] == next_of[source["topic"]], record
            next_of[source["topic"]] += 1
            if record["kind"] == "dead":
                place = (dead_topic(source["topic"]), b"%d" % source["offset"])
                assert place in letters

    @invariant()
    def each_store_is_the_fold_of_the_journal(self) -> None:
        for worker in self.workers:
            if worker.partition is not None:
                position = worker.partition.store.position
                assert position == self._position(position.journal_next)
                last = self.broker.log[position.journal_next - 1]
                assert digest_bytes(last) == position.last_digest

    def teardown(self) -> None:
        """A fair end: one owner, nothing fails; then all is decided, and folds to the same."""
        try:
            for worker in self.workers:
                worker.drop()
                worker.slices.clear()
            owner = self.workers[0]
            self._own(owner)
            for _ in range(100):
                assert owner.partition is not None
                at = owner.partition.position.sources
                if all(at.get(topic, 0) == len(self.inputs[topic]) for topic in TOPICS):
                    break
                self._read(owner, dict.fromkeys(TOPICS, 50))
                self._decide(owner, Plan(), saved=True)
            else:
                raise AssertionError("never decided")
            self.accepted_records_answer_each_input_once_and_in_order()
            assert owner.partition is not None
            owner.partition.store.commit()
            assert _contents(owner.partition.store) == self._anew()
        finally:
            for worker in self.workers:
                worker.drop()
            self.patch.undo()
            self.directory.cleanup()

    # -- the parts of the desk ------------------------------------------------------------------

    def _own(self, worker: Worker) -> None:
        taken = takeover.take_over(
            PARTITION,
            PARTITION_COUNT,
            1,
            path=worker.path,
            kafka=KafkaSettings(),
            clock=lambda: self.clock_ms,
            wanted=lambda: True,
            budget=CacheBudget(),
        )
        assert taken is not None
        limit = DeadLetterLimit(2_000, 10_000, 0.5)
        worker.partition = Partition(*taken[:2], self.learners, b"key", 60_000, limit)
        worker.journaling = Journaling(SimulatedWriter(self.broker), lambda judged: None)  # type: ignore[arg-type]
        worker.reads = dict(worker.partition.position.sources)

    def _read(self, worker: Worker, counts: dict[str, int]) -> None:
        before = {topic: worker.reads.get(topic, -2) for topic in TOPICS}
        records: list[Raw] = []
        for topic, count in counts.items():
            at = worker.reads.get(topic, 0)
            got = self.inputs[topic][at : at + count]
            records += got
            if got:
                worker.reads[topic] = at + len(got)
        after = {topic: worker.reads.get(topic, -2) for topic in TOPICS}
        behind = [
            self.inputs[topic][end - 1].published_ms if end > 0 else 0
            for topic, end in after.items()
            if max(end, 0) < len(self.inputs[topic])
        ]
        records.sort(key=lambda each: each.published_ms)
        part = Slice(PARTITION, 1, before, after, records, min(behind, default=None))
        worker.slices.append(part)

    def _decide(
        self,
        worker: Worker,
        plan: Plan,
        saved: bool,
        under_way: int = 0,
        write: bool = True,
    ) -> None:
        """Decide the next slice; what is under way before it, and perhaps itself, may wait."""
        part, partition, journaling = worker.slices.pop(0), worker.partition, worker.journaling
        if partition is None or journaling is None:
            return
        if not partition.continues(part):
            worker.reads = dict(partition.position.sources)
            return
        if part.records:
            decided = partition.decide(part, lambda: self.clock_ms, None)
        else:
            all_read = all(max(part.ends[t], 0) == len(self.inputs[t]) for t in TOPICS)
            decided = partition.rest(self.clock_ms if all_read else None, lambda: 0, None)
            if not decided.entries:
                return
        self.broker.plan = plan
        try:
            asyncio.run(journaling.send(Judged([(partition, decided)])))
            self.broker.plan = Plan()
            if saved:
                asyncio.run(journaling.settle(under_way))
                if write:
                    partition.store.commit()
            else:
                worker.forget_unsaved()  # it dies between the last acknowledgement and the write
                worker.drop()
        except UnavailableError:
            worker.drop()
        finally:
            self.broker.plan = Plan()

    def _position(self, end: int) -> FoldPosition:
        with tempfile.TemporaryDirectory() as directory:
            store = PartitionStore(Path(directory) / "anew")
            position = FoldPosition()
            for entry in self.broker.entries(0, end):
                position = fold(entry, store, position)
            store.close()
        return position

    def _anew(self) -> dict[bytes, bytes]:
        store = PartitionStore(Path(self.directory.name) / "anew")
        position = FoldPosition()
        for entry in self.broker.entries(0, len(self.broker.log)):
            position = fold(entry, store, position)
        store.commit(position)
        found = _contents(store)
        store.close()
        return found


def _contents(store: PartitionStore) -> dict[bytes, bytes]:
    return {bytes(key): bytes(value) for key, value in store._db.items()}


TestDeskMachine = DeskMachine.TestCase
TestDeskMachine.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
