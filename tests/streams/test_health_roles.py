"""Health and metrics of real role processes: all well, neighbours away, and stuck."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from schemas.registry import INPUTS, TICKETS
from streams.demo.feed import Feed
from streams.embedded.broker import EmbeddedBroker
from streams.health.catalogue import CATALOGUE, PROCESS
from streams.health.watchdog import STUCK
from streams.settings import (
    ArchiverSettings,
    DeskSettings,
    HealthSettings,
    KafkaSettings,
    Settings,
    TopicSettings,
)
from streams.simulator.company import company
from streams.stack.role_process import RoleProcess, environment
from streams.stack.stack import Stack

pytestmark = pytest.mark.embedded

PATIENCE_S = 60.0
START_MS = 1_772_409_600_000
STUCK_ROLE = Path(__file__).with_name("stuck_role.py")


@dataclass
class System:
    """All roles, with their broker in the test's hands."""

    broker: EmbeddedBroker
    stack: Stack
    seed: int = 0

    def publish(self, events: int) -> int:
        """Publish a company's events and one that cannot be read; give their number."""
        self.seed += 1
        feed = Feed(self.stack.settings.kafka)
        sent = [
            feed.send(event.topic, event.key, event.value)
            for event in company(self.seed, events, START_MS)
        ]
        feed.send(TICKETS.name, "nobody", b"not JSON")
        feed.flush()
        return len(sent) + 1

    def role(self, name: str) -> RoleProcess:
        (role,) = self.stack.of(name)
        return role


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory = tmp_path_factory.mktemp("health")
    with EmbeddedBroker(directory / "broker") as broker:
        settings = Settings(
            kafka=KafkaSettings(bootstrap=broker.bootstrap),
            topics=TopicSettings(partitions=2),
            desk=DeskSettings(clock="events"),
            archiver=ArchiverSettings(flush_interval_ms=100),
            health=HealthSettings(look_every_ms=200),
        )
        with Stack(settings, directory, embedded_broker=False) as stack:
            yield System(broker, stack)


def ask(role: RoleProcess, path: str) -> tuple[int, str]:
    """Give status and content of a page; 0 where nobody answers."""
    url = f"http://127.0.0.1:{getattr(role.settings, role.role).web_port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()
    except OSError:
        return 0, ""


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ready(role: RoleProcess) -> bool:
    return ask(role, "/health/ready")[0] == 200


def refuses(role: RoleProcess, reason: str) -> bool:
    status, content = ask(role, "/health/ready")
    return status == 503 and reason in content


def families(role: RoleProcess) -> dict[str, Family]:
    """Give what is shown, under the names that are shown (the parser takes ``_total`` off)."""
    status, page = ask(role, "/metrics")
    assert status == 200
    return {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in text_string_to_metric_families(page)
    }


def total(role: RoleProcess, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for sample in families(role)[name].samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_roles_show_exactly_the_catalogue_and_count_what_happened(system: System) -> None:
    desk, publisher, archiver = (system.role(n) for n in ("desk", "publisher", "archiver"))
    until(lambda: all(ready(role) for role in system.stack.roles))
    sent_count = system.publish(300)
    until(lambda: total(desk, "riverdesk_latency_seconds") == 0 and _decided(desk) == sent_count)
    until(lambda: total(publisher, "riverdesk_journal_offset") == _journal(desk))
    until(lambda: total(archiver, "riverdesk_rows_inserted_total", table="lessons") > 0)
    until(lambda: all(set(role.status()["lag"].values()) == {0} for role in system.stack.roles))
    for role in system.stack.roles:
        shown = families(role)
        expected = {metric.name: metric for metric in CATALOGUE if role.role in metric.roles}
        if not Path("/proc").exists():
            expected = {n: each for n, each in expected.items() if each not in PROCESS}
        assert {name: family.type for name, family in shown.items()} == {
            name: metric.kind for name, metric in expected.items()
        }
        for name, metric in expected.items():
            assert shown[name].samples, name
            labels = set(shown[name].samples[0].labels) - {"le"}
            assert labels == set(metric.labels), name
        assert total(role, "riverdesk_ready") == 1
        assert total(role, "riverdesk_lag_records") == 0
        assert total(role, "riverdesk_batches_total") > 0
        assert ask(role, "/health/live") == (200, '{"live":true}')
    assert total(desk, "riverdesk_dead_letters_total", topic=TICKETS.name, stage="decode") == 1
    assert total(desk, "riverdesk_journal_entries_total", kind="dead") == 1
    assert total(desk, "riverdesk_assigned_partitions") == 2 * len(INPUTS)
    assert total(publisher, "riverdesk_outputs_total") == publisher.status()["published_count"]
    assert total(archiver, "riverdesk_rows_inserted_total") == archiver.status()["row_count"]


def _decided(desk: RoleProcess) -> float:
    shown = families(desk)["riverdesk_latency_seconds"].samples
    return sum(sample.value for sample in shown if sample.name.endswith("_count"))


def _journal(desk: RoleProcess) -> int:
    return sum(each["journal_next"] for each in desk.status()["partitions"].values())


def test_archiver_is_not_ready_but_live_while_the_warehouse_is_away(system: System) -> None:
    desk, archiver = system.role("desk"), system.role("archiver")
    until(lambda: ready(archiver))
    engine = system.stack.engine
    assert engine is not None
    engine.stop()
    try:
        until(lambda: refuses(archiver, "waiting for a neighbour"))  # idle, and yet it notices
        assert total(archiver, "riverdesk_warehouse_available") == 0
        system.publish(200)
        # more than the archiver reads ahead stays in the log: the lag shows it all
        until(lambda: sum(archiver.status()["lag"].values()) >= 200)
        until(lambda: total(archiver, "riverdesk_warehouse_retries_total") > 0)
        assert total(archiver, "riverdesk_warehouse_behind_seconds") > 0
        assert ask(archiver, "/health/live")[0] == 200
        assert ready(desk)
    finally:
        engine.start()
    until(lambda: ready(archiver) and sum(archiver.status()["lag"].values()) == 0)
    assert total(archiver, "riverdesk_warehouse_available") == 1


class HangingOnce(RoleProcess):
    """A role that hangs at its first batch, until it has been started again."""

    hangs: str | None = None

    def start(self) -> None:
        if self.hangs is None:
            super().start()
            return
        command = [sys.executable, str(STUCK_ROLE), self.role, self.hangs]
        given = {**os.environ, **environment(self.settings)}
        with self.log_path.open("wb") as file:
            self._process = subprocess.Popen(command, env=given, stdin=subprocess.PIPE, stderr=file)
        self.hangs = None


def test_stuck_roles_end_themselves_and_the_stack_starts_them_again(system: System) -> None:
    stack, health = system.stack, HealthSettings(look_every_ms=200, stuck_after_ms=4_000)
    for name, how in (("publisher", "await"), ("archiver", "block")):
        role = system.role(name)
        role.stop()
        settings = role.settings.model_copy(update={"health": health})
        hanging = HangingOnce(name, settings, role.log_path.with_name(f"{name}-{how}.log"))
        hanging.hangs = how
        hanging.start()
        stack.roles[stack.roles.index(role)] = hanging
    system.publish(200)
    publisher, archiver = system.role("publisher"), system.role("archiver")
    until(lambda: not publisher.alive and not archiver.alive)
    assert (publisher.exit_status, archiver.exit_status) == (STUCK, STUCK)
    for role, reason, place in (
        (publisher, "nothing has moved", "in hang_for_ever"),
        (archiver, "the event loop has made no turn", "in block_for_ever"),
    ):
        said, stacks = role.last_words(1_000).split("role_stuck", 1)[1].split("\n", 1)
        assert reason in said
        assert place in stacks
    stack.tend()  # whether it then catches up is not for the stand-in: it keeps dead members
    assert {publisher.name, archiver.name} <= set(stack.restarted)
    until(lambda: all(ask(role, "/health/live")[0] == 200 for role in (publisher, archiver)))


def test_desk_is_not_ready_but_live_while_the_broker_is_away(system: System) -> None:
    desk = system.role("desk")
    until(lambda: ready(desk))
    system.broker.stop()  # for good: this test is the last of this system
    until(lambda: refuses(desk, "the broker has not answered"))
    assert ask(desk, "/health/live")[0] == 200
    assert total(desk, "riverdesk_broker_available") == 0
