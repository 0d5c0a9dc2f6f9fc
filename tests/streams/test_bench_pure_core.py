"""The pure core of the bench does again, byte for byte, what a desk did: it is the same work."""

from collections import Counter
from itertools import islice

from desk_bench import CLAIM, Bench
from desk_events import PARTITION, PARTITION_COUNT, START_MS

from schemas.codec import decode_json, encode
from schemas.registry import LESSONS, TICKETS
from streams.bench.engines.pure_core import Item, PureCore
from streams.bench.engines.upstream import company_events
from streams.intake.batches import Raw
from streams.partitioning import partition_for
from streams.settings import Settings, TopicSettings

EVENTS = 3_000


def test_pure_core_gives_the_journal_again(tmp_path):
    bench = Bench(tmp_path)
    offsets: Counter[str] = Counter()
    inputs: dict[tuple[str, int], bytes] = {}
    lessons: list[tuple[int, bytes]] = []
    records: list[Raw] = []
    for event in islice(company_events(), EVENTS):
        if partition_for(event.key.encode(), PARTITION_COUNT) == PARTITION:
            offset = offsets[event.topic]
            offsets[event.topic] += 1
            inputs[event.topic, offset] = event.value
            published_ms = event.at_ms + 10
            records.append(Raw(published_ms, event.topic, offset, event.key.encode(), event.value))
    poison = Raw(START_MS, TICKETS.name, offsets[TICKETS.name], b"c0", b"{")
    inputs[TICKETS.name, poison.offset] = b"{"
    records.append(poison)
    for start in range(0, len(records), 50):
        for entry in bench.take(*records[start : start + 50]):
            for effect in entry.get("effects", ()):
                if effect["topic"] == LESSONS.name:
                    raw = encode(effect["value"])
                    lessons.append((bench.learners.revision, raw))
                    bench.learners.fold(raw, bench.learners.revision)

    settings = Settings(masking_key="key", topics=TopicSettings(partitions=PARTITION_COUNT))
    pure = PureCore(settings, lessons)
    kinds: Counter[str] = Counter()
    for at, journaled in enumerate(bench.journal):
        record = decode_json(journaled)
        source = record.get("source")
        raw = inputs[source["topic"], source["offset"]] if source else b""
        pure.do(Item((0, PARTITION, at), record, journaled, raw))
        if record["kind"] != "claim":
            assert pure.last == journaled
        kinds[record["kind"]] += 1
    assert encode(CLAIM) == bench.journal[0]
    assert kinds.keys() >= {"policy", "transaction", "ticket", "feedback", "tick", "dead"}
    assert len(lessons) > 50
