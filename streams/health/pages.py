"""What a role serves over HTTP: ``/status``, ``/health/live``, ``/health/ready``, ``/metrics``."""

import importlib.metadata
from typing import Any, Protocol

import faust
from faust.web import Request, Response, View

from models.version import CORE_VERSION
from streams.health import catalogue
from streams.health.exposition import CONTENT_TYPE, Exposition
from streams.health.metrics import Metrics
from streams.health.watchdog import Watchdog, Watched

UNAVAILABLE = 503


class Shown(Watched, Protocol):
    """What the pages need of a role."""

    metrics: Metrics

    def status(self) -> dict[str, Any]:
        """Give what an operator wants to know, as JSON types."""
        ...

    def measure(self) -> None:
        """Set the gauges among its metrics to how things stand."""
        ...


def add_pages(app: faust.App, role: Shown, watchdog: Watchdog, worker: str) -> None:
    """Add the pages to the role's app.

    Args:
        app: Its web server serves them.
        role: What is shown.
        watchdog: What is shown of its health.
        worker: The worker's name.
    """
    metrics = role.metrics
    exposition = Exposition(metrics)
    version = importlib.metadata.version("riverdesk")
    metrics.show(catalogue.BUILD, 1, metrics.role, worker, version, CORE_VERSION)

    def lag() -> dict[str, int | None]:
        return {f"{topic}/{n}": count for (topic, n), count in watchdog.outlook.lag.items()}

    def answer(view: View, good: str, fault: str | None) -> Response:
        content = {good: fault is None} | ({} if fault is None else {"reason": fault})
        return view.json(content, status=200 if fault is None else UNAVAILABLE)

    @app.page("/status")
    class Status(View):
        async def get(self, request: Request) -> Response:
            return self.json(role.status() | {"lag": lag()})

    @app.page("/health/live")
    class Live(View):
        async def get(self, request: Request) -> Response:
            return answer(self, "live", watchdog.lifeless())

    @app.page("/health/ready")
    class Ready(View):
        async def get(self, request: Request) -> Response:
            return answer(self, "ready", watchdog.unready())

    @app.page("/metrics")
    class Page(View):
        async def get(self, request: Request) -> Response:
            measure(metrics, watchdog, role)
            return self.bytes(exposition.page(), headers={"Content-Type": CONTENT_TYPE})


def measure(metrics: Metrics, watchdog: Watchdog, role: Shown) -> None:
    """Set the gauges that all roles have, then those of the role."""
    outlook = watchdog.outlook
    metrics.show(catalogue.READY, watchdog.unready() is None)
    metrics.show(catalogue.WAITING, role.standing().waiting.reason() is not None)
    metrics.show(catalogue.STALLED, outlook.verdict.stalled_s)
    metrics.show_each(
        catalogue.SILENT,
        (((thread,), time_s) for thread, time_s in outlook.verdict.silent_s.items()),
    )
    metrics.show(catalogue.BROKER, outlook.ends.fault is None)
    metrics.show(catalogue.ASSIGNED, len(role.intake.sight.assigned))
    metrics.show_each(
        catalogue.LAG,
        (
            ((topic, str(number)), count)
            for (topic, number), count in outlook.lag.items()
            if count is not None
        ),
    )
    role.measure()
