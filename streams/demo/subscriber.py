"""Reads alerts, priority changes and questions as a risk team and a help desk would."""

from collections import deque
from typing import Any, NamedTuple

from schemas.codec import decode_json
from schemas.registry import ALERTS, PRIORITIES, QUESTIONS
from streams.kafka import TopicPartition, make_consumer
from streams.settings import Settings

KEPT = 5
NOTHING_NEW_S = 0.03


class Fresh(NamedTuple):
    """What has come since the last time, for those who answer."""

    alerts: list[Any]
    questions: list[Any]


class Subscriber:
    """Follows the topics and keeps the newest of each to show.

    Args:
        settings: The broker.
        partition_count: Of the topics.
    """

    def __init__(self, settings: Settings, partition_count: int) -> None:
        self._consumer = make_consumer(settings.kafka, group="riverdesk-demo")
        self._consumer.assign(
            [
                TopicPartition(topic.name, number, 0)
                for topic in (ALERTS, PRIORITIES, QUESTIONS)
                for number in range(partition_count)
            ]
        )
        self.alert_count = 0
        self.change_count = 0
        self.alerts: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.questions: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.changes: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def catch_up(self) -> Fresh:
        """Read what is there and give what wants an answer."""
        fresh = Fresh([], [])
        while messages := self._consumer.consume(500, NOTHING_NEW_S):
            for message in messages:
                if message.error() is not None:
                    continue
                value = decode_json(message.value() or b"")
                if message.topic() == ALERTS.name:
                    self.alert_count += 1
                    self.alerts.append(value)
                    fresh.alerts.append(value)
                elif message.topic() == QUESTIONS.name:
                    self.questions.append(value)
                    fresh.questions.append(value)
                else:
                    self.change_count += 1
                    self.changes.append(value)
        return fresh

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()
