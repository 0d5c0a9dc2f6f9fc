"""A risk analyst: looks at alerts some time later and says what they were, mostly rightly."""

import math
from datetime import datetime
from random import Random
from typing import Final

from schemas.base import milliseconds, moment
from schemas.outputs import Alert
from schemas.registry import FEEDBACK_TOPIC
from streams.simulator.schedule import Scheduled, Truth, scheduled

MEDIAN_DELAY_MS: Final = 45 * 60_000
_VERDICTS: Final = ("confirmed", "refuted", "inconclusive")
_IF_FRAUD: Final = (92, 3, 5)
_IF_HONEST: Final = (2, 88, 10)


class Analyst:
    """Answers alerts. Pure: an answer depends on the alert, the truth and the seed alone.

    Args:
        truth: Filled by the schedule that caused the alerts.
        seed: The same seed gives the same answers.
        answered_share: Share of alerts that get an answer at all, 0 to 1.
    """

    def __init__(self, truth: Truth, seed: int, answered_share: float = 0.85) -> None:
        self._truth = truth
        self._seed = seed
        self._answered_share = answered_share

    def review(self, alert: Alert) -> Scheduled | None:
        """Give the feedback on an alert, later than it by minutes to hours, or none."""
        rng = Random(f"{self._seed}:analyst:{alert['id']}")
        if rng.random() >= self._answered_share:
            return None
        fraud = self._truth.transactions.get(alert["transaction_id"], False)
        raised_ms = milliseconds(datetime.fromisoformat(alert["occurred_at"]))
        at_ms = raised_ms + 60_000 + int(rng.lognormvariate(math.log(MEDIAN_DELAY_MS), 0.8))
        when = moment(at_ms)
        event = {
            "event_id": f"verdict-{alert['id']}", "tenant": alert["tenant"],
            "customer_id": alert["customer_id"], "occurred_at": when, "known_at": when,
            "source": "investigation", "type": "feedback.alert", "alert_id": alert["id"],
            "verdict": rng.choices(_VERDICTS, _IF_FRAUD if fraud else _IF_HONEST)[0],
        }  # fmt: skip
        return scheduled(at_ms, FEEDBACK_TOPIC.name, event)
