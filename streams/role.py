"""A role as a Faust application: one agent on a channel of batches, one on the policies.

The input topics are read by the role's own :class:`streams.intake.intake.Intake`; Faust runs the
agents, timers, services and the web. Its own consumer reads the policies only, each worker all of
them: so the app's id is new at every start.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from uuid import uuid4

import faust
import structlog
from faust.channels import Channel
from faust.types import StreamT
from mode import Service
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from models.policy import Policy
from schemas.codec import decode
from schemas.errors import MalformedError, MisconfiguredError, RejectedError
from schemas.policies import POLICY_UPDATE
from schemas.registry import POLICIES
from streams.health.metrics import Metrics
from streams.health.pages import add_pages
from streams.health.standing import Standing
from streams.health.watchdog import Watchdog, end_process
from streams.intake.batches import Batch
from streams.intake.intake import Intake
from streams.memory import YOUNG, collect_rarely
from streams.settings import KafkaSettings, Settings

log = structlog.get_logger(__name__)

Deliver = Callable[[Batch], Coroutine[None, None, None]]
Halt = Callable[[BaseException], None]
"""Called when a role must not go on; the process ends and its supervisor starts it again."""


class Role(Protocol):
    """What a role is, Faust aside."""

    intake: Intake
    metrics: Metrics

    async def open(self) -> None:
        """Begin to read."""

    async def close(self) -> None:
        """Leave the group and give up what is in flight."""

    async def process(self, batch: Batch) -> None:
        """Deal with one batch; never raises."""

    def check(self) -> None:
        """Halt if a thread has failed; called every second."""

    def adopt(self, policy: Policy) -> None:
        """Take notice of a policy that people published."""

    def status(self) -> dict[str, Any]:
        """Give what an operator wants to know, as JSON types."""
        ...

    def standing(self) -> Standing:
        """Say how far it is and what it waits for; called in any thread."""
        ...

    def measure(self) -> None:
        """Set the gauges among its metrics to how things stand."""


class Batches(Channel):  # type: ignore[type-arg]
    """A channel that keeps its batches when Faust's own consumer rebalances.

    Faust's queues are emptied then; a batch that vanishes would never be said to be done.
    """

    @property
    def queue(self) -> ThrowableQueue[Batch]:
        """Give the buffer, always open; the intake bounds what is in it."""
        if self._queue is None:
            self._queue = ThrowableQueue(flow_control=FlowControlEvent(initially_suspended=False))
        return self._queue


def make_app(
    settings: Settings,
    name: str,
    web_port: int,
    build: Callable[[Deliver], Role],
    young: int = YOUNG,
) -> faust.App:
    """Make the Faust app of a role.

    Args:
        settings: All settings.
        name: ``desk``, ``publisher`` or ``archiver``.
        web_port: Where ``/status``, ``/health`` and ``/metrics`` are served.
        build: Makes the role, given how its intake delivers batches.
        young: Objects made before Python's collector looks at them (:mod:`streams.memory`).
    """
    directory = settings.state_dir / settings.worker / "faust"
    directory.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        id=f"riverdesk-{name}-{settings.worker}-{uuid4().hex[:8]}",
        broker=f"kafka://{settings.kafka.bootstrap}",
        datadir=str(directory),
        web_host=settings.web_host,
        web_bind=settings.web_host,
        web_port=web_port,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        broker_credentials=_credentials(settings.kafka),
        broker_session_timeout=settings.kafka.session_timeout_ms / 1000,
        broker_heartbeat_interval=settings.kafka.heartbeat_ms / 1000,
        broker_rebalance_timeout=10.0,
        store="memory://",
        autodiscover=False,
    )
    batches = Batches(app)

    async def deliver(batch: Batch) -> None:
        await batches.put(batch)  # type: ignore[arg-type]  # a channel passes values as they are

    role = build(deliver)
    watchdog = Watchdog(role, settings.kafka, settings.health, end_process)

    @app.agent(batches, name=f"{name}-batches")
    async def process(arriving: StreamT[Batch]) -> None:
        async for batch in arriving:
            await role.process(batch)

    @app.agent(app.topic(POLICIES.name, value_type=bytes, value_serializer="raw"))
    async def follow_policies(updates: StreamT[bytes]) -> None:
        async for raw in updates:
            policy = read_policy(raw)
            if policy is not None:
                role.adopt(policy)

    async def watch_threads() -> None:
        role.check()

    app.timer(interval=1.0)(watch_threads)

    @app.service
    class Opening(Service):
        async def on_start(self) -> None:
            watchdog.open(asyncio.get_running_loop())
            while not batches.subscriber_count:  # a channel without a reader drops what it gets
                await self.sleep(0.01)
            await role.open()
            collect_rarely(young)

        async def on_stop(self) -> None:
            await role.close()

    add_pages(app, role, watchdog, settings.worker)
    return app


def _credentials(kafka: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Give Faust's own consumer the access that librdkafka's clients have."""
    tls = ssl.create_default_context() if kafka.security_protocol.endswith("ssl") else None
    if kafka.security_protocol.startswith("sasl"):
        password = kafka.sasl_password
        return faust.SASLCredentials(
            mechanism=kafka.sasl_mechanism,
            username=kafka.sasl_username,
            password=password.get_secret_value() if password else None,
            ssl_context=tls,
        )
    return faust.SSLCredentials(tls) if tls is not None else None


def read_policy(raw: bytes | None) -> Policy | None:
    """Give the policy of an update, ``None`` (and a log line) where it cannot be used."""
    try:
        update = decode(POLICY_UPDATE, raw or b"")
        policy = Policy.from_content({**update.content, "version": update.version})
    except (MalformedError, RejectedError, MisconfiguredError) as fault:
        log.error("policy_refused", error=str(fault))
        return None
    log.info("policy_received", version=policy.version, digest=policy.digest)
    return policy


def now_ms() -> int:
    """Give the clock as milliseconds since the epoch: what comes in from outside."""
    return time.time_ns() // 1_000_000
