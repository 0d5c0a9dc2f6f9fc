import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.errors import MisconfiguredError, UnavailableError
from streams.embedded.broker import EmbeddedBroker

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as started:
        yield started


def create(bootstrap: str, *names: str, partition_count: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    topics = [NewTopic(name, num_partitions=partition_count) for name in names]
    for future in admin.create_topics(topics).values():
        future.result(20)


def read_all(bootstrap: str, topic: str) -> list[bytes | None]:
    """Every committed value of partition 0, in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes | None] = []
    try:
        while True:
            message = consumer.poll(10)
            assert message is not None, "no end of partition in 10 s"
            if error := message.error():
                assert error.code() == KafkaError._PARTITION_EOF
                return values
            value = message.value()
            assert value is None or isinstance(value, bytes)
            values.append(value)
    finally:
        consumer.close()


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in tasks.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def await_end(pids: list[int]) -> bool:
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        if not any(is_running(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_broker_returns_what_was_produced(broker: EmbeddedBroker) -> None:
    create(broker.bootstrap, "plain")
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    for value in (b"one", None, b""):
        producer.produce("plain", value, key=b"k")
    assert producer.flush(10) == 0
    assert read_all(broker.bootstrap, "plain") == [b"one", None, b""]


def test_broker_hides_aborted_transactions_and_keeps_offsets_with_metadata(
    broker: EmbeddedBroker,
) -> None:
    create(broker.bootstrap, "source", "sink")
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "t"})
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "g"})
    try:
        producer.init_transactions(10)
        for value, offset, end in (
            (b"kept", 5, producer.commit_transaction),
            (b"gone", 9, producer.abort_transaction),
        ):
            producer.begin_transaction()
            producer.produce("sink", value, partition=0)
            assert producer.flush(10) == 0
            producer.send_offsets_to_transaction(
                [TopicPartition("source", 0, offset, f"at {offset}")],
                consumer.consumer_group_metadata(),
                10,
            )
            end(10)
        (committed,) = consumer.committed([TopicPartition("source", 0)], timeout=10)
    finally:
        consumer.close()
    assert read_all(broker.bootstrap, "sink") == [b"kept"]
    assert (committed.offset, committed.metadata) == (5, "at 5")


def test_idle_consumer_is_answered_seldom_and_woken_by_a_write(broker: EmbeddedBroker) -> None:
    create(broker.bootstrap, "quiet", "elsewhere", partition_count=6)
    answers: list[str] = []
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap,
            "group.id": "idle",
            "statistics.interval.ms": 500,
            "stats_cb": answers.append,
        }
    )
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    try:
        consumer.assign([TopicPartition(t, p, 0) for t in ("quiet", "elsewhere") for p in range(6)])
        assert consumer.poll(3) is None
        # An unheld client asks thousands of times a second.
        assert sum_of_requests(answers[-1]) < 200
        producer.produce("quiet", b"news", partition=3)
        message: Message | None = consumer.poll(10)
        assert message is not None
        assert message.value() == b"news"
    finally:
        consumer.close()
        producer.flush(10)


def sum_of_requests(statistics: str) -> int:
    brokers = orjson.loads(statistics)["brokers"].values()
    return sum(int(each["req"].get("Fetch", 0)) for each in brokers)


def test_stopped_broker_comes_back_with_its_data_on_the_given_port(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        bootstrap = broker.bootstrap
        create(bootstrap, "kept")
        producer = Producer({"bootstrap.servers": bootstrap})
        producer.produce("kept", b"value")
        assert producer.flush(10) == 0
        del producer
    port = int(bootstrap.rsplit(":", 1)[1])
    with EmbeddedBroker(tmp_path, port) as broker:
        assert broker.bootstrap == bootstrap
        assert read_all(bootstrap, "kept") == [b"value"]


def test_broker_refuses_a_taken_port(broker: EmbeddedBroker, tmp_path: Path) -> None:
    port = int(broker.bootstrap.rsplit(":", 1)[1])
    with pytest.raises(MisconfiguredError, match=str(port)):
        EmbeddedBroker(tmp_path, port).start()


def test_broker_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MisconfiguredError, match="pip install"):
        EmbeddedBroker(tmp_path).start()


def test_broker_that_is_not_started_has_no_address(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    broker.stop()
    with pytest.raises(UnavailableError):
        _ = broker.bootstrap


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("victim", ["owner", "gateway"])
def test_killed_owner_or_gateway_leaves_no_process_behind(tmp_path: Path, victim: str) -> None:
    program = (
        "import sys, time, pathlib\n"
        "from streams.embedded.broker import EmbeddedBroker\n"
        f"EmbeddedBroker(pathlib.Path({str(tmp_path)!r})).start()\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        (gateway,) = children(owner.pid)
        (server,) = children(gateway)
        if victim == "owner":
            owner.kill()
        else:
            os.kill(gateway, signal.SIGKILL)
        gone = await_end([gateway, server])
        owner.kill()
    assert gone
