"""The priority of a ticket: ITIL impact times urgency, with a weighted number behind it."""

import math
from typing import Any, NamedTuple

from models.customer import NEW
from models.policy import URGENCIES, Bands, Policy, PriorityRules
from models.state import Value
from models.ticket import used_ms
from schemas.decisions import Assessment
from schemas.feedback import Urgency
from schemas.outputs import Reason

_URGENCY_PARTS = {"critical": 1.0, "high": 0.7, "medium": 0.4, "low": 0.1}


class Risk(NamedTuple):
    """What a customer's recent transactions say, 0 to 1, and which facts say it."""

    total: float
    shares: dict[str, float]
    """Share of the total by kind of fact: alert, fraud, risky, declined."""


def customer_risk(customer: Value | None, now_ms: int, rules: PriorityRules) -> Risk:
    """Combine the facts of the window, each halved every half-life: 1 - product of (1 - fact).

    A transaction that turned out to be no fraud says nothing any more.
    """
    if customer is None:
        customer = NEW
    weights: dict[str, float] = {}
    for entry in customer["recent"]:
        if entry["fraud"] is not False:
            if entry["alert"] is not None:
                _add_fact(weights, "alert", now_ms - entry["at_ms"], rules)
            elif entry["risky"]:
                _add_fact(weights, "risky", now_ms - entry["at_ms"], rules)
            if entry["outcome"] == "declined":
                _add_fact(weights, "declined", now_ms - entry["at_ms"], rules)
    for _, _, known_ms in customer["frauds"]:
        if known_ms <= now_ms:
            _add_fact(weights, "fraud", now_ms - known_ms, rules)
    weight = sum(weights.values())
    if weight <= 0.0:
        return Risk(0.0, {})
    shares = {kind: weights[kind] / weight for kind in sorted(weights)}
    return Risk(round(-math.expm1(-weight), 4), shares)


def money_at_stake(ticket: Value, customer: Value | None, now_ms: int, window_ms: int) -> float:
    """Give what the customer may lose, in the reference currency.

    The ticket's own amount or the transactions it names, whichever is more, and half of the
    customer's other declined or alerted ones in the window.
    """
    linked = ticket["linked"]
    stake = max(ticket["amount"], sum(amount for amount, _ in linked.values()))
    for entry in (customer or NEW)["recent"]:
        troubled = entry["outcome"] == "declined" or entry["alert"] is not None
        if (
            troubled
            and entry["fraud"] is not False
            and entry["id"] not in linked
            and now_ms - entry["at_ms"] < window_ms
        ):
            stake += 0.5 * entry["amount"]
    return round(float(stake), 2)


def assess(
    tenant: str,
    ticket_id: str,
    ticket: Value,
    customer: Value | None,
    now_ms: int,
    cause: str,
    policy: Policy,
) -> Assessment:
    """Assess an open ticket at ``now_ms`` (never before its last event).

    The SLA is the one of impact and the ticket's own urgency; once its share ``escalate_at`` is
    used, urgency counts one step higher. An override wins until it expires.
    """
    rules = policy.priority
    now_ms = max(now_ms, ticket["last_ms"])
    risk = customer_risk(customer, now_ms, rules)
    money = money_at_stake(ticket, customer, now_ms, rules.risk_window_ms)
    base: Urgency = ticket["urgency"]
    impact = _impact(ticket, money, risk.total, rules)
    row = rules.matrix[impact - 1]
    sla_ms = rules.sla_ms[row[URGENCIES.index(base)]]
    used = used_ms(ticket, now_ms)
    ratio = used / sla_ms
    urgency = base
    if ratio >= rules.escalate_at:
        urgency = URGENCIES[max(URGENCIES.index(base) - 1, 0)]
    priority = row[URGENCIES.index(urgency)]
    override = ticket["override"]
    overridden = override is not None and now_ms < override[1]
    if override is not None:
        cause = cause if overridden else "override_expired"
        priority = override[0] if overridden else priority
    reasons, score = _reasons(ticket, urgency, money, risk, ratio, rules)
    return {
        "tenant": tenant,
        "ticket_id": ticket_id,
        "customer_id": ticket["customer_id"],
        "priority": priority,
        "previous": ticket["priority"],
        "changed": priority != ticket["priority"],
        "score": score,
        "impact": impact,
        "urgency": urgency,
        "base_urgency": base,
        "reasons": reasons,
        "cause": cause,
        "overridden": overridden,
        "override_until_ms": override[1] if overridden else None,
        "sla_ms": sla_ms,
        "sla_used_ms": used,
        "next_ms": _next_ms(ticket, now_ms, used, sla_ms, overridden, rules),
        "assessed_ms": now_ms,
    }


def _add_fact(weights: dict[str, float], kind: str, age_ms: int, rules: PriorityRules) -> None:
    age_ms = max(age_ms, 0)
    if age_ms < rules.risk_window_ms:
        strength = rules.risk_strengths[kind] * 0.5 ** (age_ms / rules.risk_half_life_ms)
        weights[kind] = weights.get(kind, 0.0) - math.log1p(-strength)


def _impact(ticket: Value, money: float, risk: float, rules: PriorityRules) -> int:
    points = (
        rules.tier_points[ticket["tier"]]
        + _points(rules.money_points, money)
        + _points(rules.linked_points, len(ticket["linked"]))
        + _points(rules.risk_points, risk)
    )
    return 1 + sum(points < threshold for threshold in rules.impact_thresholds)


def _points(bands: Bands, value: float) -> float:
    points = 0.0
    for start, worth in bands:
        if value < start:
            break
        points = worth
    return points


def _reasons(
    ticket: Value, urgency: str, money: float, risk: Risk, ratio: float, rules: PriorityRules
) -> tuple[list[Reason], float]:
    """Give the reasons in hundredths of a point, so that they add up to the score exactly."""
    weights = rules.weights
    money_part = min(math.log1p(money) / math.log1p(rules.money_cap), 1.0)
    mood_part = max(ticket["anger"] or 0.0, -0.5 * (ticket["sentiment"] or 0.0), 0.0)
    parts: list[tuple[str, float, Any]] = [
        ("urgency", weights["urgency"] * _URGENCY_PARTS[urgency], urgency),
        ("money_at_stake", weights["money"] * money_part, money),
        ("sentiment", weights["sentiment"] * min(mood_part, 1.0), ticket["sentiment"]),
        ("age", weights["age"] * min(ratio, 1.0), round(ratio, 4)),
    ]
    parts += [
        (f"customer_{kind}", weights["customer_risk"] * risk.total * share, round(risk.total, 4))
        for kind, share in risk.shares.items()
    ]
    hundredths = [round(100.0 * part) for _, part, _ in parts]
    reasons: list[Reason] = [
        {"name": name, "contribution": points / 100.0, "value": value}
        for (name, _, value), points in zip(parts, hundredths, strict=True)
    ]
    return reasons, sum(hundredths) / 100.0


def _next_ms(
    ticket: Value,
    now_ms: int,
    used: int,
    sla_ms: int,
    overridden: bool,
    rules: PriorityRules,
) -> int | None:
    moments: list[int] = []
    if overridden:
        moments.append(ticket["override"][1])
    if ticket["running_ms"] is not None:
        left = (math.ceil(share * sla_ms) - used for share in rules.age_fractions)
        moments += [now_ms + ms for ms in left if ms > 0][:1]
    return min(moments, default=None)
