"""What the clients of the broker are asked for."""

from streams.kafka import gathering
from streams.settings import DeskSettings


def test_desk_is_answered_at_once_and_does_not_ask_all_the_time() -> None:
    asked = gathering(DeskSettings().gather_ms)
    assert asked["fetch_min_bytes"] == 1
    assert "fetch_wait_max_ms" not in asked  # 0 ms would be a request after the other while idle


def test_a_broker_that_gathers_waits_so_long_for_much() -> None:
    asked = gathering(20)
    assert asked["fetch_wait_max_ms"] == 20
    assert asked["fetch_min_bytes"] > 10_000
