"""The first policy, as data: what the desk starts with until another one is published."""

from typing import Any

POLICY_V1: dict[str, Any] = {
    "version": 1,
    "tick_items": 200,
    "remember_days": 60,
    "park_days": 30,
    "alert_budget_per_day": 200,
    # Reference currency EUR: minor digits and what one unit is worth, for comparing only.
    "currencies": {
        "EUR": {"exponent": 2, "rate": 1.0},
        "USD": {"exponent": 2, "rate": 0.9},
        "GBP": {"exponent": 2, "rate": 1.15},
        "CHF": {"exponent": 2, "rate": 1.05},
        "CNY": {"exponent": 2, "rate": 0.13},
        "HKD": {"exponent": 2, "rate": 0.12},
        "PLN": {"exponent": 2, "rate": 0.23},
        "SGD": {"exponent": 2, "rate": 0.7},
        "JPY": {"exponent": 0, "rate": 0.006},
        "KWD": {"exponent": 3, "rate": 3.0},
        "*": {"exponent": 2, "rate": 1.0},
    },
    "priority": {
        # What a full part of each kind adds to the score; together 100.
        "weights": {"urgency": 35, "money": 20, "customer_risk": 25, "sentiment": 10, "age": 10},
        # ITIL: rows are impact 1 to 4, columns urgency critical, high, medium, low.
        "matrix": [
            ["P1", "P1", "P2", "P3"],
            ["P1", "P2", "P3", "P4"],
            ["P2", "P3", "P4", "P5"],
            ["P3", "P4", "P5", "P5"],
        ],
        "sla_minutes": {"P1": 60, "P2": 240, "P3": 480, "P4": 1440, "P5": 4320},
        # Shares of the SLA at which an open ticket is assessed anew without any event.
        "age_fractions": [0.5, 0.8, 1.0],
        # From this share on, urgency counts one step higher.
        "escalate_at": 1.0,
        # This much money at stake (reference currency) or more is a full part.
        "money_cap": 10_000,
        # Points towards impact: [from, points], the last band reached counts.
        "impact_points": {
            "tier": {"standard": 0, "premium": 1, "business": 1},
            "money": [[100, 1], [1_000, 2], [10_000, 3]],
            "linked": [[1, 1], [4, 2]],
            "customer_risk": [[0.15, 1], [0.35, 2], [0.6, 3]],
        },
        # Points needed for impact 1, 2, 3; fewer are impact 4.
        "impact_thresholds": [5, 3, 1],
        # How much one fact says about the customer's risk, halved every half_life_hours.
        "customer_risk": {
            "window_hours": 168,
            "half_life_hours": 72,
            "alert": 0.8,
            "fraud": 0.8,
            "risky": 0.25,
            "declined": 0.15,
        },
        # A message may change the category only while confidence is below this.
        "reclassify_below": 0.5,
        # The urgency learner speaks from this many labels on; before, the word rules do.
        "urgency_labels": 50,
        # The same for the mood.
        "mood_labels": 50,
        # The desk answers for a category from the confidence on with which it is right this often.
        "category_precision": 0.95,
        # Until so much is known: from this confidence on.
        "category_confidence": 0.7,
    },
    "alerts": {
        # A score from here on alerts, whatever the others are.
        "sure_threshold": 0.85,
        # A lower one alerts if it stands out: a top share of the partition's transactions.
        "percentile": 0.997,
        "risk_threshold": 0.1,
        "anomaly_threshold": 0.05,
        "risky_percentile": 0.97,
        # Transactions that a percentile must be based on.
        "warm_up": 500,
        # Log-odds of fraud before anything has been learned; see models.scorecard.
        "scorecard": {
            "base": -6,
            "typical_amount": 40,
            "amount": 1,
            "ratio": 1,
            # What a feature exceeds "beyond" by, at most "at_most", times "weight".
            "signals": {
                "new_device": {"weight": 4, "beyond": 0, "at_most": 1},
                "new_country": {"weight": 1, "beyond": 0, "at_most": 1},
                "suspect_code": {"weight": 4, "beyond": 0, "at_most": 1},
                "declined_1h": {"weight": 1.5, "beyond": 0, "at_most": 3},
                "small_1h": {"weight": 1.5, "beyond": 1, "at_most": 3},
                "count_1h": {"weight": 0.5, "beyond": 2, "at_most": 4},
                "terminal_label": {"weight": 2, "beyond": 0, "at_most": 1},
                "terminal_fraud_run": {"weight": 1.5, "beyond": 1, "at_most": 3},
            },
        },
        # What the log-odds of the unsupervised rank count beside it.
        "anomaly_weight": 0.1,
        # After so many frauds the risk learner weighs as much as these two.
        "blend_frauds": 300,
        "dedup_hours": 24,
        # This share of the day's budget is kept for high and critical alerts.
        "reserved_share": 0.2,
        # Steps towards severity; a step in score and one in amount are worth the same.
        "severity": {
            "risk": [0.4, 0.7, 0.9],
            "anomaly": [0.7, 0.85, 0.96],
            "amount": [100, 1_000, 5_000],
        },
        "typology": {
            "small_amount": 5,
            "testing_count_1h": 4,
            "testing_declined_1h": 3,
            "takeover_ratio": 3,
            "terminal_fraud_age_d": 30,
            "stolen_ratio": 2,
            "stolen_large_14d": 2,
            "customer_fraud_age_d": 30,
        },
    },
    "lessons": {
        # This share of the transactions become implicit negatives if no label comes.
        "implicit_share": 0.1,
        "implicit_after_hours": 169,
        # This share of the transactions go to the unsupervised learner at once.
        "anomaly_share": 0.2,
        # All transactions at a terminal with a known fraud in these days are learned.
        "watch_terminal_days": 14,
        # This share of the tickets go out as unlabelled lessons at once, to measure by.
        "ticket_share": 0.2,
    },
    # Tickets whose category people are asked to say.
    "asking": {
        # The budget: this share of the tickets, held to within a few.
        "share": 0.1,
        # "margin" prefers tickets of which the learner is not sure, "random" does not.
        "mode": "margin",
        # Every ticket has at least this part of the share as its chance.
        "floor": 0.1,
    },
}

ADDED: dict[str, float | int | str] = {
    "priority.mood_labels": 50,
    "priority.category_precision": 0.95,
    "priority.category_confidence": 0.7,
    "lessons.ticket_share": 0.0,
    "asking.share": 0.0,
    "asking.mode": "margin",
    "asking.floor": 0.1,
}
"""What may be missing, in policies made before it existed, and what then holds: nobody is asked."""
