"""`riverdesk deadletters` on the embedded broker, each test with letters of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from desk_events import CUSTOMERS, PARTITION, PARTITION_COUNT, START_MS, customers, event
from embedded_log import kafka_settings

from schemas.errors import UnavailableError
from schemas.registry import TRANSACTIONS, dead_topic
from streams.cli.main import FAILED, main
from streams.deadletters.letters import Letter, Place
from streams.deadletters.reader import letters, survey
from streams.deadletters.redrive import Redriver
from streams.deadletters.selection import Selection
from streams.deadletters.trial import Trial
from streams.desk.admission import Admission
from streams.desk.guard import Refusal
from streams.embedded.broker import EmbeddedBroker
from streams.intake.batches import Raw
from streams.journal.writer import Outgoing, Writer
from streams.kafka import KafkaError, TopicPartition, make_consumer
from streams.settings import KafkaSettings, Settings, TopicSettings
from streams.stack.role_process import environment
from streams.topics import create_topics

pytestmark = pytest.mark.embedded

ELSEWHERE = customers(PARTITION + 1, 1)[0]
WRONG_PARTITION = Refusal("envelope", "RejectedError", "on partition 1, but")
PAYMENTS = TRANSACTIONS.name


class Bench:
    """Writes letters, runs commands, and reads what they sent."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self._env = environment(Settings(kafka=kafka)) | {"COLUMNS": "250"}

    def dead(self, *raws: Raw, why: Refusal = WRONG_PARTITION) -> None:
        admission = Admission(PARTITION, PARTITION_COUNT, b"key")
        Writer(self.kafka).append_now([admission.dead_letter(r, why, START_MS) for r in raws])

    def run(self, *words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, ["deadletters", *words], env=self._env, input=stdin)

    def listed(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("list", "--json", *words).output.splitlines()]

    def copies(self) -> list[tuple[int, bytes | None, bytes | None, str]]:
        """All of the input: partition, key, value, and which letter it is a copy of."""
        consumer = make_consumer(self.kafka, "test-copies")
        places = [TopicPartition(PAYMENTS, number, 0) for number in range(PARTITION_COUNT)]
        consumer.assign(places)
        found, ended = [], set[int]()
        while len(ended) < PARTITION_COUNT:
            for message in consumer.consume(100, 0.5):
                fault, number = message.error(), message.partition() or 0
                if fault is None:
                    headers: Any = dict(message.headers() or ())
                    origin = headers.get("riverdesk_redriven_from", b"").decode()
                    found.append((number, message.key(), message.value(), origin))
                elif fault.code() == KafkaError._PARTITION_EOF:
                    ended.add(number)
        consumer.close()
        return found

    def letters(self) -> list[Letter]:
        surveyed = survey(self.kafka, [PAYMENTS])
        return list(letters(self.kafka, surveyed, Selection(open_only=True)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with EmbeddedBroker(tmp_path / "broker", grace_s=0.0) as broker:
        kafka = kafka_settings(broker.bootstrap)
        create_topics(kafka, TopicSettings(partitions=PARTITION_COUNT))
        yield Bench(kafka)


def payment(offset: int, customer: str = ELSEWHERE) -> Raw:
    value = event("transaction", f"t{offset}", offset, customer)
    return Raw(START_MS, PAYMENTS, offset, customer.encode(), value)


def position(offset: int) -> str:
    return str(Place(PAYMENTS, PARTITION, offset))


def test_letters_are_sent_once_to_where_their_key_belongs(bench: Bench) -> None:
    first, second, poison = payment(0), payment(1), payment(2)._replace(value=b"\xff{")
    bench.dead(first, second)
    bench.dead(poison, why=Refusal("decode", "MalformedError", "not JSON"))

    tried = bench.run("redrive", "--dry-run")
    assert tried.exit_code == FAILED  # one would be refused again
    assert "2 records can be sent again" in tried.output
    assert "1 would be refused again" in tried.output
    assert position(2) in tried.output
    assert bench.copies() == []

    declined = bench.run("redrive", stdin="n\n")
    assert declined.exit_code == 1
    assert bench.copies() == []

    assert bench.run("redrive", position(0), "--yes").exit_code == 0
    wanted = [(PARTITION + 1, first.key, first.value, position(0))]
    assert bench.copies() == wanted

    rest = bench.run("redrive", stdin="y\n")
    assert rest.exit_code == FAILED
    assert "1 records sent again" in rest.output
    wanted.append((PARTITION + 1, second.key, second.value, position(1)))
    assert bench.copies() == wanted

    again = bench.run("redrive", position(0), position(1), "--yes")
    assert again.exit_code == 0
    assert f"{position(0)} was sent again at" in again.output
    assert "0 records sent again" in again.output
    assert bench.copies() == wanted

    forced = bench.run("redrive", "--force", "--yes")
    assert forced.exit_code == 0
    assert [origin for *_, origin in bench.copies()].count(position(2)) == 1
    assert (PARTITION + 1, poison.key, poison.value, position(2)) in bench.copies()
    assert [line["redriven_to"] for line in bench.listed("--stage", "envelope")] == [
        f"{PAYMENTS}/{PARTITION + 1}/{offset}" for offset in range(2)
    ]
    assert bench.listed("--open") == []


def test_letter_written_twice_is_listed_and_sent_once(bench: Bench) -> None:
    bench.dead(payment(0), payment(1))
    bench.dead(payment(0), payment(1))
    Writer(bench.kafka).append_now([Outgoing(dead_topic(PAYMENTS), 0, None, b"a stranger")])
    assert [line["offset"] for line in bench.listed()] == [0, 1]
    shown = bench.run("list")
    assert "2 dead letters" in shown.output
    assert "1 other records" in shown.output
    bench.run("redrive", "--yes")
    assert len(bench.copies()) == 2


def test_letters_without_a_note_are_sent_again_and_those_with_one_are_not(bench: Bench) -> None:
    bench.dead(payment(0), payment(1))
    trial = Trial(PARTITION_COUNT, b"key", False)
    one, two = bench.letters()
    killed = Redriver(bench.kafka)
    killed.send(one, trial.judge(one, START_MS), START_MS)
    killed.flush(START_MS)
    killed.send(two, trial.judge(two, START_MS), START_MS)  # and never flushed
    assert bench.run("redrive", "--yes").exit_code == 0
    assert [origin for *_, origin in bench.copies()] == [position(0), position(1)]


def test_who_begins_a_redrive_stops_the_one_under_way(bench: Bench) -> None:
    bench.dead(payment(0), payment(1))
    trial = Trial(PARTITION_COUNT, b"key", False)
    one, two = bench.letters()
    slow = Redriver(bench.kafka)
    slow.send(one, trial.judge(one, START_MS), START_MS)
    slow.flush(START_MS)
    quick = Redriver(bench.kafka)
    slow.send(two, trial.judge(two, START_MS), START_MS)
    with pytest.raises(UnavailableError, match=r"after 1 letters: another redrive has begun"):
        slow.flush(START_MS)
    assert [each.place.offset for each in bench.letters()] == [1]  # no note of the overtaken one
    quick.send(two, trial.judge(two, START_MS), START_MS)
    quick.flush(START_MS)
    assert bench.letters() == []


def test_missing_key_is_taken_from_the_payload_where_asked(bench: Bench) -> None:
    keyless = payment(0, CUSTOMERS[0])._replace(key=None)
    bench.dead(keyless, why=Refusal("envelope", "RejectedError", "no key"))
    assert bench.run("redrive", "--yes").exit_code == FAILED
    assert bench.copies() == []
    assert bench.run("redrive", "--key-from-payload", "--yes").exit_code == 0
    assert bench.copies() == [(PARTITION, CUSTOMERS[0].encode(), keyless.value, position(0))]


def test_show_masks_what_raw_writes_as_it_came(bench: Bench) -> None:
    hostile = b"\xc2\x9b31m\x1b[2J card 4111 1111 1111 1111 "
    bench.dead(payment(0)._replace(value=hostile), payment(1)._replace(value=None))
    shown = bench.run("show", position(0))
    assert shown.exit_code == 0
    assert "<card>" in shown.output
    assert "4111" not in shown.output
    assert "\x1b" not in shown.output
    assert "\x9b" not in shown.output
    assert "riverdesk_stage" in shown.output
    assert bench.run("show", position(0), "--raw").stdout_bytes == hostile
    assert bench.run("show", position(1), "--raw").stdout_bytes == b""
    assert "(no value)" in bench.run("show", position(1)).output


def test_unknown_position_is_one_line_and_sends_nothing(bench: Bench) -> None:
    bench.dead(payment(0))
    for words in (["show", position(9)], ["redrive", position(0), position(9), "--yes"]):
        result = bench.run(*words)
        assert result.exit_code == FAILED
        assert position(9) in result.output
        assert "Traceback" not in result.output
        assert len(result.output.strip().splitlines()) == 1
    assert bench.run("show", "nowhere").exit_code == FAILED
    assert bench.copies() == []


def test_filters_choose_what_is_listed(bench: Bench) -> None:
    bench.dead(payment(0))
    bench.dead(payment(1), why=Refusal("decode", "MalformedError", "x\x1b[2J 4111111111111111"))
    assert [line["offset"] for line in bench.listed("--error", "MalformedError")] == [1]
    assert [line["offset"] for line in bench.listed("--limit", "1")] == [1]
    assert bench.listed("--topic", "support.tickets.v1") == []
    assert bench.listed("--since", "2026-03-03") == []
    assert len(bench.listed("--since", "2026-03-02", "--until", "2026-03-03")) == 2
    table = bench.run("list")
    assert "\x1b" not in table.output
    assert "<card>" in table.output
    assert position(1) not in bench.run("list", "--summary").output
    assert bench.run("list", "--since", "soon").exit_code == 2
