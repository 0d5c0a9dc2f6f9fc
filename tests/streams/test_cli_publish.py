import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MalformedError, MisconfiguredError, RejectedError
from schemas.registry import FEEDBACK_TOPIC, INPUTS, MAX_EVENT_BYTES, TICKETS, TRANSACTIONS, Topic
from streams.cli.main import AWAY, main
from streams.embedded.broker import EmbeddedBroker
from streams.kafka import Consumer, KafkaError, TopicPartition, make_consumer
from streams.partitioning import partition_for
from streams.settings import KafkaSettings, TopicSettings
from streams.topics import create_topics
from streams.upstream.addressing import MAX_KEY_BYTES, address, raw_address
from streams.upstream.lines import MAX_LINE_BYTES, Line, lines
from streams.upstream.producer import Upstream

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "schemas" / "examples"
PARTITION_COUNT = 5


def publish(*words: str, stdin: bytes | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["publish", *words], input=stdin)


def ticket(number: int, **more: object) -> bytes:
    event = {
        "event_id": f"e{number}",
        "customer_id": f"c{number}",
        "occurred_at": "2026-03-02T08:00:00Z",
        "type": "ticket.opened",
        "ticket_id": f"t{number}",
        "text": "Où est ma carte? 我的卡在哪里",
    }
    return json.dumps(event | more, ensure_ascii=False).encode()


def test_topic_follows_from_the_type_for_every_example() -> None:
    for topic in INPUTS:
        for raw in (EXAMPLES / f"{topic.name}.jsonl").read_bytes().splitlines():
            found = address(raw, None)
            assert found.topic is topic
            assert found.key.decode() == json.loads(raw)["customer_id"]


@pytest.mark.parametrize(
    ("raw", "error", "said"),
    [
        (b"{", MalformedError, "not JSON"),
        (b"\xff\xfe", MalformedError, "not JSON"),
        (b"[]", RejectedError, "belongs to no topic"),
        (b'{"type": 7}', RejectedError, "belongs to no topic"),
        (b'{"type": "refund"}', RejectedError, "refund"),
        (b'{"type": "ticket.opened"}', RejectedError, "event_id"),
        (ticket(1, customer_id=7), RejectedError, "customer_id"),
        (b"{" * 5_000, MalformedError, "not JSON"),
        (b" " * (MAX_EVENT_BYTES + 1), RejectedError, str(MAX_EVENT_BYTES)),
    ],
)
def test_bad_event_has_no_address(raw: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        address(raw, None)


def test_given_topic_refuses_the_events_of_another() -> None:
    with pytest.raises(RejectedError, match="type"):
        address(ticket(1), TRANSACTIONS)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (ticket(8), b"c8"),
        (b'{"customer_id": "c9", "amount": NaN}', b"c9"),
        (b'\xff{"customer_id":"c10"', b"c10"),
        (b'{"customer_id": 7}', b"line-3"),
        (b'{"customer_id": ""}', b"line-3"),
        (b'{"customer_id": "' + b"x" * (MAX_KEY_BYTES + 1) + b'"}', b"line-3"),
        (b"", b"line-3"),
        (b"[" * 100_000, b"line-3"),
    ],
)
def test_raw_key_is_any_customer_that_can_be_seen(raw: bytes, key: bytes) -> None:
    assert raw_address(raw, TICKETS, 3).key == key


@given(st.binary(max_size=300))
def test_raw_address_takes_any_bytes(raw: bytes) -> None:
    found = raw_address(raw, TICKETS, 3)
    assert found.topic is TICKETS
    assert 0 < len(found.key) <= MAX_KEY_BYTES


@given(st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").rstrip(b"\r"))))
def test_lines_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[bytes]
) -> None:
    directory = tmp_path_factory.mktemp("lines")
    wanted = [Line(number, raw) for number, raw in enumerate(written, 1)]
    for end in (b"\n", b"\r\n"):
        content = b"".join(raw + end for raw in written)
        (directory / "plain").write_bytes(content)
        (directory / "packed.gz").write_bytes(gzip.compress(content, 1))
        assert list(lines(directory / "plain")) == wanted
        assert list(lines(directory / "packed.gz")) == wanted


def test_long_line_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "long"
    longest = b"x" * MAX_LINE_BYTES
    path.write_bytes(longest + b"\n" + longest + b"x\r\n" + longest * 2 + b"y\nlast")
    found = list(lines(path))
    assert [line.whole for line in found] == [True, False, False, True]
    assert [line.raw for line in found] == [longest, longest, longest, b"last"]


def test_damaged_archive_is_one_line_of_explanation(tmp_path: Path) -> None:
    path = tmp_path / "half.gz"
    path.write_bytes(gzip.compress(ticket(1) * 1_000)[:60])
    result = publish(str(path), "--dry-run")
    assert result.exit_code == 1
    assert "damaged" in result.output
    assert "Traceback" not in result.output


def test_dry_run_reports_twenty_bad_lines_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    content = [ticket(1), b"", b"not JSON", ticket(4, amount_at_stake="much"), ticket(5)]
    path.write_bytes(b"\n".join([*content, *[b"{}"] * 30]))
    result = publish(str(path), "--dry-run")
    assert result.exit_code == 1
    assert result.stdout == "2 events are valid\n"
    reported = result.stderr.splitlines()
    assert reported[0].startswith("line 3: not JSON")
    assert reported[1].startswith("line 4: ticket.opened.amount_at_stake")
    assert [line.split(":")[0] for line in reported[2:20]] == [f"line {n}" for n in range(6, 24)]
    assert reported[20:] == ["… and 12 more", "32 bad lines were left out"]


def test_good_file_passes_from_standard_input_too() -> None:
    result = publish("-", "--dry-run", stdin=b"\r\n".join([ticket(1), ticket(2)]))
    assert (result.exit_code, result.output) == (0, "2 events are valid\n")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as broker:
        settings = KafkaSettings(bootstrap=broker.bootstrap)
        create_topics(settings, TopicSettings(partitions=PARTITION_COUNT))
        yield settings


def read(
    kafka: KafkaSettings, topic: Topic, after: dict[int, int]
) -> list[tuple[int, bytes, bytes]]:
    """Partition, key and value of what came since; moves ``after`` on."""
    consumer: Consumer = make_consumer(kafka, "reader")
    found: list[tuple[int, bytes, bytes]] = []
    open_count = PARTITION_COUNT
    try:
        consumer.assign(
            [TopicPartition(topic.name, n, after.get(n, 0)) for n in range(PARTITION_COUNT)]
        )
        while open_count:
            message = consumer.poll(10)
            assert message is not None, "the broker is silent"
            if fault := message.error():
                assert fault.code() == KafkaError._PARTITION_EOF
                open_count -= 1
                continue
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            after[partition] = offset + 1
            found.append((partition, message.key() or b"", message.value() or b""))
    finally:
        consumer.close()
    return found


@pytest.mark.embedded
def test_published_events_arrive_once_with_key_and_murmur2_partition(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    events = [ticket(number) for number in range(200)]
    labels = (EXAMPLES / f"{FEEDBACK_TOPIC.name}.jsonl").read_bytes().splitlines()
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join([*events, b"broken", *labels])))
    result = publish(str(path), "--bootstrap", kafka.bootstrap)
    assert result.exit_code == 1, result.output
    assert result.stdout == f"{200 + len(labels)} records published\n"
    assert result.stderr.startswith("line 201: not JSON")
    got = read(kafka, TICKETS, {})
    assert sorted(value for _, _, value in got) == sorted(events)
    for partition, key, value in got:
        assert key.decode() == json.loads(value)["customer_id"]
        assert partition == partition_for(key, PARTITION_COUNT)
    assert sorted(value for _, _, value in read(kafka, FEEDBACK_TOPIC, {})) == sorted(labels)


@pytest.mark.embedded
def test_raw_bytes_arrive_unchanged(kafka: KafkaSettings, tmp_path: Path) -> None:
    hostile = [
        b"not JSON", b"\xff\xfe\x00", b'{"customer_id":"c7","x":NaN}', b"[" * 50_000, b"",
        b'{"customer_id":"c7"}\r', b"\x00" * 10, b"x" * 900_000,
    ]  # fmt: skip
    too_large = b"y" * 1_500_000
    path = tmp_path / "hostile"
    path.write_bytes(b"\n".join([*hostile, too_large, b"last"]))
    after: dict[int, int] = {}
    read(kafka, TRANSACTIONS, after)
    words = [str(path), "--raw", "--topic", TRANSACTIONS.name, "--bootstrap", kafka.bootstrap]
    result = publish(*words)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith(f"line 9: {len(too_large)} bytes")
    assert result.stdout == "9 records published\n"
    got = read(kafka, TRANSACTIONS, after)
    wanted = [raw.removesuffix(b"\r") for raw in [*hostile, b"last"]]
    assert sorted(value for _, _, value in got) == sorted(wanted)
    assert {key for _, key, value in got if b"c7" in value} == {b"c7"}
    assert {key for _, key, value in got if b"c7" not in value} == {
        *(b"line-%d" % number for number in (1, 2, 4, 5, 7, 8, 10))
    }


@pytest.mark.embedded
def test_missing_topic_is_named(kafka: KafkaSettings) -> None:
    with Upstream(kafka) as upstream, pytest.raises(MisconfiguredError, match=r"nobody\.made"):
        upstream.send("nobody.made.v1", b"k", b"v")


@pytest.mark.embedded
def test_simulated_events_are_published(kafka: KafkaSettings) -> None:
    after: dict[str, dict[int, int]] = {topic.name: {} for topic in INPUTS}
    for topic in INPUTS:
        read(kafka, topic, after[topic.name])
    result = CliRunner(env={"RIVERDESK_KAFKA__BOOTSTRAP": kafka.bootstrap}).invoke(
        main, ["simulate", "--events", "300", "--seed", "3"]
    )
    assert (result.exit_code, result.output) == (0, "300 events published\n")
    got = [each for topic in INPUTS for each in read(kafka, topic, after[topic.name])]
    assert len(got) == 300
    for partition, key, value in got:
        assert address(value, None).key == key
        assert partition == partition_for(key, PARTITION_COUNT)


def test_absent_broker_is_one_line_and_asks_to_try_again(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(ticket(1))
    result = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "publish", path, "--bootstrap", "127.0.0.1:1"],
        env={**os.environ, "RIVERDESK_KAFKA__DELIVERY_TIMEOUT_MS": "1000"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == AWAY
    assert "no broker answers at 127.0.0.1:1" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


LOSING_THE_BROKER = """
import sys
from schemas.errors import UnavailableError
from streams.settings import load
from streams.upstream.producer import Upstream

with Upstream(load().kafka) as upstream:
    upstream.send("support.tickets.v1", b"c1", b"one")
    upstream.flush()
    print("taken", flush=True)
    sys.stdin.readline()
    try:
        upstream.send("support.tickets.v1", b"c1", b"two")
        upstream.flush()
    except UnavailableError as fault:
        print(fault)
"""


@pytest.mark.embedded
def test_broker_that_goes_away_is_reported_with_what_it_took(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        create_topics(KafkaSettings(bootstrap=broker.bootstrap), TopicSettings(partitions=1))
        upstream = subprocess.Popen(
            [sys.executable, "-c", LOSING_THE_BROKER],
            env={
                **os.environ,
                "RIVERDESK_KAFKA__BOOTSTRAP": broker.bootstrap,
                "RIVERDESK_KAFKA__DELIVERY_TIMEOUT_MS": "1000",
            },
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with upstream:
            assert upstream.stdout is not None
            assert upstream.stdout.readline() == "taken\n"
            broker.stop()
            said, _ = upstream.communicate("go on\n", timeout=60)
    assert "(1 of 2 records are acknowledged)" in said
