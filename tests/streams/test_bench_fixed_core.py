"""The fixed job on the desk's own partition and store, without a broker."""

from desk_bench import CLAIM, CLOCK_MS, START_MS
from desk_events import PARTITION, PARTITION_COUNT, slice_of

from models.fixed_job.core import FixedCore
from models.fixed_job.payloads import payloads
from models.learning import Learners
from schemas.codec import decode_json, encode
from schemas.registry import TRANSACTIONS
from streams.desk.guard import DeadLetterLimit
from streams.desk.partition import Identity, Partition
from streams.desk.store import FoldPosition, PartitionStore
from streams.intake.batches import Raw
from streams.journal.fold import fold
from streams.journal.reader import Entry
from streams.partitioning import partition_for

WRITER = "f" * 32


def test_fold_equals_live_for_the_fixed_job(tmp_path):
    core = FixedCore()
    claim = encode(CLAIM | {"writer": WRITER})
    store = PartitionStore(tmp_path / "live")
    store.commit(fold(Entry(0, 0, None, claim), store, FoldPosition(), core))
    identity = Identity(PARTITION, PARTITION_COUNT, 1, 1, WRITER)
    limit = DeadLetterLimit(2_000, 10_000, 0.5)
    partition = Partition(identity, store, Learners(), b"key", 60_000, limit, core)
    here = [
        (key, raw)
        for key, raw in payloads(2, 2_000, 50)
        if partition_for(key, PARTITION_COUNT) == PARTITION
    ]
    records = [
        Raw(START_MS, TRANSACTIONS.name, offset, key, raw) for offset, (key, raw) in enumerate(here)
    ]
    journal = [claim]
    for start in range(0, len(records), 100):
        part = slice_of(records[start : start + 100], partition.position.sources)
        decided = partition.decide(part, lambda: CLOCK_MS, None)
        assert not decided.dead
        store.commit(decided.position)
        journal += [entry.value or b"" for entry in decided.entries]

    decisions = [each for each in journal if decode_json(each)["kind"] == "transaction"]
    assert len(decisions) == len(here)
    assert all(393 - 10 <= len(each) <= 393 + 10 for each in decisions)

    again = PartitionStore(tmp_path / "folded")
    position = FoldPosition()
    for offset, raw in enumerate(journal):
        position = fold(Entry(offset, 0, None, raw), again, position, core)
    again.commit(position)
    assert dict(again.items()) == dict(store.items())
    assert position == store.position
    again.close()
    store.close()
