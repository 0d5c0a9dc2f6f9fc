"""A flood of bad records halts the desk, also after a restart; once mended, it goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.codec import decode_json
from schemas.registry import JOURNAL, TRANSACTIONS
from streams.cli.main import main
from streams.embedded.broker import EmbeddedBroker
from streams.journal.reader import read
from streams.journal.writer import Outgoing, Writer
from streams.kafka import end_offset, make_consumer
from streams.partitioning import partition_for
from streams.process import HALTED
from streams.settings import DeskSettings, KafkaSettings, Settings, TopicSettings
from streams.stack.ports import free_ports
from streams.stack.role_process import RoleProcess, environment
from streams.topics import create_topics

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

LIMIT = 20
POISON = 3 * LIMIT
CUSTOMER = "c-1"
RIGHT = partition_for(CUSTOMER.encode(), 2)
WRONG = 1 - RIGHT


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with EmbeddedBroker(tmp_path / "broker", grace_s=0.0) as broker:
        made = Settings(
            kafka=KafkaSettings(bootstrap=broker.bootstrap),
            topics=TopicSettings(partitions=2),
            desk=DeskSettings(
                clock="events",
                dead_run_limit=LIMIT,
                batch_records=5,
                web_port=free_ports(1)[0],
            ),
            state_dir=tmp_path / "state",
        )
        create_topics(made.kafka, made.topics)
        yield made


def payment(number: int) -> bytes:
    content = {
        "event_id": f"e{number}",
        "customer_id": CUSTOMER,
        "occurred_at": "2026-03-02T08:00:00Z",
        "transaction_id": f"t{number}",
        "amount_minor": 2_000,
        "currency": "EUR",
        "card": "4111111111111111",
    }
    return json.dumps(content).encode()


def answers(settings: Settings, kind: str) -> list[dict[str, Any]]:
    consumer = make_consumer(settings.kafka, "test-answers")
    records = [
        decode_json(entry.value)
        for number in range(2)
        for entry in read(
            consumer, JOURNAL.name, number, 0, end_offset(consumer, JOURNAL.name, number)
        )
    ]
    consumer.close()
    return [record for record in records if record["kind"] == kind]


def halted(settings: Settings) -> int:
    """Run the desk as a supervisor would, until it ends by itself."""
    run = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "worker", "desk"],
        env={**os.environ, **environment(settings)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"role_halted" in run.stderr + run.stdout
    return run.returncode


def deadletters(settings: Settings, *words: str) -> Result:
    env = environment(settings) | {"COLUMNS": "250"}
    return CliRunner().invoke(main, ["deadletters", *words], env=env)


def wait_for(desk: RoleProcess, settings: Settings, kind: str, count: int) -> None:
    while len(answers(settings, kind)) < count:  # the test's own limit of time ends it
        assert desk.alive, desk.last_words()


def test_flood_halts_the_desk_until_somebody_has_looked(settings: Settings, tmp_path: Path) -> None:
    writer = Writer(settings.kafka)
    key = CUSTOMER.encode()
    writer.append_now([Outgoing(TRANSACTIONS.name, WRONG, key, payment(n)) for n in range(POISON)])

    assert halted(settings) == HALTED
    drained_count = len(answers(settings, "dead"))
    assert 0 < drained_count <= LIMIT
    elsewhere = settings.model_copy(update={"state_dir": tmp_path / "another-machine"})
    assert halted(elsewhere) == HALTED  # what it knows can only come from the journal
    assert len(answers(settings, "dead")) <= LIMIT  # not so many more at each start

    raised = settings.desk.model_copy(update={"dead_run_limit": 1_000})
    desk = RoleProcess("desk", settings.model_copy(update={"desk": raised}), tmp_path / "desk.log")
    desk.start()
    try:
        wait_for(desk, settings, "dead", POISON)
        listed = deadletters(settings, "list", "--summary")
        assert f"{POISON} dead letters" in listed.output
        shown = deadletters(settings, "show", f"{TRANSACTIONS.name}/{WRONG}/7")
        assert '"event_id": "e7"' in shown.output
        assert "4111111111111111" not in shown.output

        sent = deadletters(settings, "redrive", "--stage", "envelope", "--yes")
        assert sent.exit_code == 0, sent.output
        assert f"{POISON} records sent again" in sent.output
        wait_for(desk, settings, "transaction", POISON)
        decided = answers(settings, "transaction")
        assert {record["event_id"] for record in decided} == {f"e{n}" for n in range(POISON)}
        assert {record["source"]["partition"] for record in decided} == {RIGHT}

        again = deadletters(settings, "redrive", "--yes")
        assert "0 records sent again" in again.output
        writer.append_now([Outgoing(TRANSACTIONS.name, RIGHT, key, payment(POISON))])
        wait_for(desk, settings, "transaction", POISON + 1)  # and nothing else came before it
        assert len(answers(settings, "duplicate")) == 0
        assert len(answers(settings, "dead")) == POISON
    finally:
        desk.stop()
