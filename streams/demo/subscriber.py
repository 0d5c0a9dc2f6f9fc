"""Reads alerts and priority changes as a risk team and a help desk would."""

from collections import deque
from typing import Any

from schemas.codec import decode_json
from schemas.registry import ALERTS, PRIORITIES
from streams.kafka import TopicPartition, make_consumer
from streams.settings import Settings

KEPT = 5
NOTHING_NEW_S = 0.03


class Subscriber:
    """Follows both topics and keeps the newest of each to show.

    Args:
        settings: The broker.
        partition_count: Of both topics.
    """

    def __init__(self, settings: Settings, partition_count: int) -> None:
        self._consumer = make_consumer(settings.kafka, group="riverdesk-demo")
        self._consumer.assign(
            [
                TopicPartition(topic.name, number, 0)
                for topic in (ALERTS, PRIORITIES)
                for number in range(partition_count)
            ]
        )
        self.alert_count = 0
        self.change_count = 0
        self.alerts: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.changes: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def catch_up(self) -> list[Any]:
        """Read what is there and give the new alerts."""
        fresh: list[Any] = []
        while messages := self._consumer.consume(500, NOTHING_NEW_S):
            for message in messages:
                if message.error() is not None:
                    continue
                value = decode_json(message.value() or b"")
                if message.topic() == ALERTS.name:
                    self.alert_count += 1
                    self.alerts.append(value)
                    fresh.append(value)
                else:
                    self.change_count += 1
                    self.changes.append(value)
        return fresh

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()
