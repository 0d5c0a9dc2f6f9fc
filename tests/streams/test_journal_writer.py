"""The writer against a producer that fails as no broker can be made to."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.journal.writer import AT_ONCE_S, Outgoing, Writer
from streams.settings import KafkaSettings

RECORDS = [Outgoing(JOURNAL.name, 0, None, b"%d" % number) for number in range(3)]


async def together(writer: Writer, records: list[Outgoing]) -> range:
    return (await writer.arrival(writer.send_together(records)))[JOURNAL.name, 0]


class Acknowledged:
    def __init__(self, offset: int) -> None:
        self._offset = offset

    def offset(self) -> int:
        return self._offset


class ScriptedProducer:
    """Answers each record by its value: taken, rejected, or not at all (``late``)."""

    def __init__(self, answers: dict[bytes, str]) -> None:
        self.answers = answers
        self.waiting: list[tuple[bytes, Callable[..., None]]] = []
        self.taken: list[bytes] = []
        self.purged = False

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes | None,
        partition: int,
        on_delivery: Callable[..., None],
    ) -> None:
        if self.answers.get(value) == "broken":
            raise KafkaException(KafkaError(KafkaError._STATE))
        self.waiting.append((value, on_delivery))

    def flush(self, timeout_s: float) -> int:
        waiting, self.waiting = self.waiting, []
        for value, on_delivery in waiting:
            match self.answers.get(value, "taken"):
                case "taken":
                    self.taken.append(value)
                    on_delivery(None, Acknowledged(len(self.taken) - 1))
                case "behind a rival":
                    self.taken += [b"a rival's", value]
                    on_delivery(None, Acknowledged(len(self.taken) - 1))
                case "rejected":
                    on_delivery(KafkaError(KafkaError.NOT_ENOUGH_REPLICAS), None)
                case "late":
                    self.waiting.append((value, on_delivery))
                case "forgotten":
                    pass  # neither an answer nor a record that waits
        return len(self.waiting)

    def poll(self, timeout_s: float) -> int:
        """Answer for the oldest record."""
        later, self.waiting = self.waiting[1:], self.waiting[:1]
        left = self.flush(timeout_s)
        self.waiting += later
        return 1 - left

    def __len__(self) -> int:
        return len(self.waiting)

    def purge(self) -> None:
        self.purged = True
        self.waiting.clear()

    def come_through(self) -> None:
        """The broker is back: what still waits is sent after all."""
        self.answers = {}
        self.flush(0)


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> list[ScriptedProducer]:
    """Those that the writer made; the first one answers as the test says."""
    made: list[ScriptedProducer] = []

    def make(kafka: KafkaSettings, **more: Any) -> ScriptedProducer:
        made.append(ScriptedProducer({}))
        return made[-1]

    monkeypatch.setattr("streams.journal.writer.make_producer", make)
    return made


def doubtful(producers: list[ScriptedProducer], answer: str) -> Writer:
    """A writer that has appended once, then met the answer in the middle of three records."""
    writer = Writer(KafkaSettings())
    assert writer.append_now(RECORDS[:1]) == [0]
    producers[0].answers = {RECORDS[1].value or b"": answer}
    with pytest.raises(UnavailableError):
        writer.append_now(RECORDS)
    return writer


@pytest.mark.parametrize("answer", ["rejected", "late", "forgotten", "broken"])
def test_rejected_or_unanswered_record_puts_the_whole_append_in_doubt(
    producers: list[ScriptedProducer], answer: str
) -> None:
    doubtful(producers, answer)


@pytest.mark.parametrize("answer", ["rejected", "late", "forgotten", "broken"])
def test_doubt_empties_the_producer_and_makes_another(
    producers: list[ScriptedProducer], answer: str
) -> None:
    writer = doubtful(producers, answer)
    first = producers[0]
    before = list(first.taken)
    first.come_through()
    assert first.taken == before
    assert first.purged
    assert writer.append_now(RECORDS) == [0, 1, 2]
    assert len(producers) == 2
    assert first.taken == before


def test_sound_producer_is_kept(producers: list[ScriptedProducer]) -> None:
    writer = Writer(KafkaSettings())
    assert [writer.append_now([record]) for record in RECORDS] == [[0], [1], [2]]
    assert len(producers) == 1


async def test_slow_broker_is_waited_for_outside_the_event_loop(
    producers: list[ScriptedProducer], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[bool, float]] = []
    flush = ScriptedProducer.flush

    def slow(self: ScriptedProducer, timeout_s: float) -> int:
        waits.append((threading.current_thread() is threading.main_thread(), timeout_s))
        return len(self.waiting) if len(waits) == 1 else flush(self, timeout_s)

    monkeypatch.setattr(ScriptedProducer, "flush", slow)
    assert await Writer(KafkaSettings()).append(RECORDS) == [0, 1, 2]
    assert waits == [(True, AT_ONCE_S), (False, 16.0)]
    assert await Writer(KafkaSettings()).append(RECORDS) == [0, 1, 2]
    assert waits[2:] == [(True, AT_ONCE_S)]  # a quick one costs no change of thread


async def test_records_that_stand_together_are_known_by_their_first_and_last(
    producers: list[ScriptedProducer],
) -> None:
    writer = Writer(KafkaSettings())
    assert await together(writer, RECORDS) == range(3)
    assert await together(writer, RECORDS[:1]) == range(3, 4)
    producers[0].taken.append(b"somebody else's")
    assert await together(writer, RECORDS[:2]) == range(5, 7)  # before them, not between


async def test_somebody_elses_record_between_puts_the_append_in_doubt(
    producers: list[ScriptedProducer],
) -> None:
    writer = Writer(KafkaSettings())
    await together(writer, RECORDS[:1])
    producers[0].answers = {RECORDS[1].value or b"": "behind a rival"}
    with pytest.raises(UnavailableError, match="do not stand together"):
        await together(writer, RECORDS)
    assert producers[0].purged


@pytest.mark.parametrize("answer", ["rejected", "late", "broken"])
@pytest.mark.parametrize("at", [0, 1, 2])
async def test_each_of_the_records_that_stand_together_must_be_acknowledged(
    producers: list[ScriptedProducer], answer: str, at: int
) -> None:
    writer = Writer(KafkaSettings())
    await together(writer, RECORDS)
    producers[0].answers = {RECORDS[at].value or b"": answer}
    with pytest.raises(UnavailableError):
        await together(writer, RECORDS)
    assert producers[0].purged


async def test_what_was_sent_before_is_not_held_up_by_what_was_sent_since(
    producers: list[ScriptedProducer],
) -> None:
    writer = Writer(KafkaSettings())
    before, since = writer.send_together(RECORDS), writer.send_together(RECORDS)
    assert (await writer.arrival(before))[JOURNAL.name, 0] == range(3)
    assert len(producers[0].waiting) == 3
    assert (await writer.arrival(since))[JOURNAL.name, 0] == range(3, 6)


@pytest.mark.parametrize("answer", ["rejected", "forgotten"])
@pytest.mark.parametrize("at", [0, 1, 2])
async def test_fault_of_what_was_sent_before_is_not_hidden_by_what_was_sent_since(
    producers: list[ScriptedProducer], answer: str, at: int
) -> None:
    writer = Writer(KafkaSettings())
    await together(writer, RECORDS[:1])
    others = [each._replace(value=b"since") for each in RECORDS]
    producers[0].answers = {RECORDS[at].value or b"": answer}
    before = writer.send_together(RECORDS)
    writer.send_together(others)
    with pytest.raises(UnavailableError):
        await writer.arrival(before)
    assert producers[0].purged


async def test_record_sent_before_that_is_never_answered_ends_the_wait(
    producers: list[ScriptedProducer], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(KafkaSettings(delivery_timeout_ms=1_000))
    await together(writer, RECORDS[:1])
    producers[0].answers = {RECORDS[2].value or b"": "late"}
    monkeypatch.setattr(writer, "_patience_s", 0.05)
    before = writer.send_together(RECORDS)
    writer.send_together(RECORDS[:1])
    with pytest.raises(UnavailableError, match="3 records: 1 not acknowledged"):
        await writer.arrival(before)
