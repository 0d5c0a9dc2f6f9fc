"""The policy: weights, thresholds, budgets and rules as checked, versioned data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.asking import AskMode, AskRules
from models.policy_reading import Reader
from models.policy_v1 import ADDED, POLICY_V1
from models.scorecard import Scorecard, Signal
from schemas.codec import digest
from schemas.errors import MisconfiguredError
from schemas.feedback import Priority, Urgency

__all__ = ["POLICY_V1", "AlertRules", "LessonRules", "Policy", "PriorityRules"]

URGENCIES: tuple[Urgency, ...] = ("critical", "high", "medium", "low")
PRIORITIES: tuple[Priority, ...] = ("P1", "P2", "P3", "P4", "P5")
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
MINUTE_MS = 60_000

Bands = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PriorityRules:
    """How tickets are ranked; see `models.policy_v1` for the meaning of each part."""

    weights: Mapping[str, float]
    matrix: tuple[tuple[Priority, ...], ...]
    sla_ms: Mapping[str, int]
    age_fractions: tuple[float, ...]
    escalate_at: float
    money_cap: float
    tier_points: Mapping[str, float]
    money_points: Bands
    linked_points: Bands
    risk_points: Bands
    impact_thresholds: tuple[float, ...]
    risk_window_ms: int
    risk_half_life_ms: int
    risk_strengths: Mapping[str, float]
    reclassify_below: float
    urgency_labels: int
    mood_labels: int
    category_precision: float
    category_confidence: float


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When a transaction becomes an alert."""

    sure_threshold: float
    thresholds: Mapping[str, float]
    percentile: float
    risky_percentile: float
    warm_up: int
    scorecard: Scorecard
    anomaly_weight: float
    blend_frauds: int
    dedup_ms: int
    reserved_share: float
    severity: Mapping[str, tuple[float, ...]]
    typology: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LessonRules:
    """Which transactions are learned without a label, and which tickets are measured by."""

    implicit_share: float
    implicit_after_ms: int
    anomaly_share: float
    watch_terminal_ms: int
    ticket_share: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy; equal content has an equal digest."""

    version: int
    digest: str
    content: Mapping[str, Any] = field(repr=False)
    tick_items: int
    remember_ms: int
    park_ms: int
    alert_budget_per_day: int
    priority: PriorityRules
    alerts: AlertRules
    lessons: LessonRules
    asking: AskRules
    units: Mapping[str, float] = field(repr=False)
    """What one minor unit of each currency is worth in the reference currency."""

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Policy":
        """Check a policy's content.

        Raises:
            MisconfiguredError: names every fault; publish a corrected policy.
        """
        read = Reader(content, ADDED)
        policy = cls(
            version=read.whole("version", 1),
            digest=digest(dict(content)),
            content=content,
            tick_items=read.whole("tick_items", 1, 10_000),
            remember_ms=read.whole("remember_days", 1, 3_650) * DAY_MS,
            park_ms=read.whole("park_days", 1, 3_650) * DAY_MS,
            alert_budget_per_day=read.whole("alert_budget_per_day", 0),
            priority=_priority(read),
            alerts=_alerts(read),
            lessons=_lessons(read),
            asking=_asking(read),
            units=_units(read),
        )
        if read.faults:
            raise MisconfiguredError("policy: " + "; ".join(read.faults))
        return policy

    def amount(self, amount_minor: int, currency: str) -> float:
        """Give an amount in the reference currency, to the cent: for comparing, not for paying."""
        unit = self.units.get(currency)
        return round(amount_minor * (self.units["*"] if unit is None else unit), 2)


def _priority(read: Reader) -> PriorityRules:
    points = "priority.impact_points."
    risk = "priority.customer_risk."
    weights = read.numbers(
        "priority.weights", ("urgency", "money", "customer_risk", "sentiment", "age"), 0, 100
    )
    if abs(sum(weights.values()) - 100.0) > 1e-9:
        read.fault("priority.weights", "must add up to 100")
    minutes = read.numbers("priority.sla_minutes", PRIORITIES, 1, 1e6)
    return PriorityRules(
        weights=weights,
        matrix=read.matrix("priority.matrix", 4, 4, PRIORITIES),
        sla_ms={name: int(value * MINUTE_MS) for name, value in minutes.items()},
        age_fractions=read.rising("priority.age_fractions", 0.01, 10),
        escalate_at=read.number("priority.escalate_at", 0.1, 100),
        money_cap=read.number("priority.money_cap", 1, 1e12),
        tier_points=read.numbers(points + "tier", ("standard", "premium", "business"), 0, 10),
        money_points=read.bands(points + "money"),
        linked_points=read.bands(points + "linked"),
        risk_points=read.bands(points + "customer_risk"),
        impact_thresholds=read.falling("priority.impact_thresholds", 3),
        risk_window_ms=int(read.number(risk + "window_hours", 1, 10_000) * HOUR_MS),
        risk_half_life_ms=int(read.number(risk + "half_life_hours", 0.1, 10_000) * HOUR_MS),
        risk_strengths={
            name: read.number(risk + name, 0, 0.99)
            for name in ("alert", "fraud", "risky", "declined")
        },
        reclassify_below=read.number("priority.reclassify_below", 0, 1),
        urgency_labels=read.whole("priority.urgency_labels", 1),
        mood_labels=read.whole("priority.mood_labels", 1),
        category_precision=read.number("priority.category_precision", 0, 1),
        category_confidence=read.number("priority.category_confidence", 0, 1),
    )


def _alerts(read: Reader) -> AlertRules:
    return AlertRules(
        sure_threshold=read.number("alerts.sure_threshold", 0, 1),
        thresholds={
            "risk": read.number("alerts.risk_threshold", 0, 1),
            "anomaly": read.number("alerts.anomaly_threshold", 0, 1),
        },
        percentile=read.number("alerts.percentile", 0, 1),
        risky_percentile=read.number("alerts.risky_percentile", 0, 1),
        warm_up=read.whole("alerts.warm_up", 0),
        scorecard=_scorecard(read),
        anomaly_weight=read.number("alerts.anomaly_weight", 0, 10),
        blend_frauds=read.whole("alerts.blend_frauds", 1),
        dedup_ms=int(read.number("alerts.dedup_hours", 0, 10_000) * HOUR_MS),
        reserved_share=read.number("alerts.reserved_share", 0, 1),
        severity={
            name: read.rising(f"alerts.severity.{name}", 0, 1e12, 3)
            for name in ("risk", "anomaly", "amount")
        },
        typology=read.numbers(
            "alerts.typology",
            (
                "small_amount",
                "testing_count_1h",
                "testing_declined_1h",
                "takeover_ratio",
                "terminal_fraud_age_d",
                "stolen_ratio",
                "stolen_large_14d",
                "customer_fraud_age_d",
            ),
            0,
            1e12,
        ),
    )


def _scorecard(read: Reader) -> Scorecard:
    card = "alerts.scorecard."
    parts = ("weight", "beyond", "at_most")
    return Scorecard(
        base=read.number(card + "base", -30, 30),
        typical_amount=read.number(card + "typical_amount", 0.01, 1e12),
        amount=read.number(card + "amount", 0, 100),
        ratio=read.number(card + "ratio", 0, 100),
        signals={
            name: Signal(*(read.number(f"{card}signals.{name}.{part}", 0, 1_000) for part in parts))
            for name in read.names(card + "signals")
        },
    )


def _lessons(read: Reader) -> LessonRules:
    hours = read.number("lessons.implicit_after_hours", 1, 10_000)
    return LessonRules(
        implicit_share=read.number("lessons.implicit_share", 0, 1),
        implicit_after_ms=int(hours * HOUR_MS),
        anomaly_share=read.number("lessons.anomaly_share", 0, 1),
        watch_terminal_ms=int(read.number("lessons.watch_terminal_days", 0, 3_650) * DAY_MS),
        ticket_share=read.number("lessons.ticket_share", 0, 1),
    )


def _asking(read: Reader) -> AskRules:
    modes: tuple[AskMode, ...] = ("margin", "random")
    return AskRules(
        share=read.number("asking.share", 0, 1),
        mode=read.one_of("asking.mode", modes),
        floor=read.number("asking.floor", 0.001, 1),
    )


def _units(read: Reader) -> dict[str, float]:
    units = {"*": 0.01}
    for name in read.names("currencies"):
        exponent = read.whole(f"currencies.{name}.exponent", 0, 4)
        units[name] = read.number(f"currencies.{name}.rate", 1e-9, 1e9) / 10**exponent
    return units
