"""What the desk computes and what the catalogue of features says are the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_desk import Desk, alerting_desk, policy_with

from models.features.catalogue import TICKET_FEATURES, TRANSACTION_FEATURES, UNITS, Feature, Unit
from models.usual import ENOUGH

CATALOGUES: dict[str, Sequence[Feature]] = {
    "ticket": TICKET_FEATURES,
    "transaction": TRANSACTION_FEATURES,
}

ids = st.integers(0, 3)
few = st.sampled_from([None, "a", "b"])
payments = st.fixed_dictionaries(
    {
        "amount": st.sampled_from([0.0, 0.01, 4.99, 1e7]) | st.floats(0, 900),
        "outcome": st.sampled_from(["approved", "declined", "reversed"]),
        "response_code": st.sampled_from(["00", "05", "43", "N7"]),
        "channel": st.sampled_from(["pos", "atm", "transfer", "ecommerce", "wallet"]),
        "currency": st.sampled_from(["EUR", "JPY", "USD"]),
        "terminal_id": few,
        "merchant_id": few,
        "device_id": few,
        "country": st.sampled_from([None, "DE", "FR"]),
    }
)
words = st.sampled_from(["card stolen!!!", "卡被盗刷了，急！", "how do I pay", "🙂", "…"])
openings = st.fixed_dictionaries(
    {
        "text": words,
        "customer_tier": st.sampled_from(["standard", "premium", "business"]),
        "transaction_ids": st.lists(st.sampled_from(["s0", "s1", "s2"]), max_size=3),
        "amount_at_stake": st.sampled_from(
            [None, {"amount_minor": 0, "currency": "EUR"}, {"amount_minor": 7, "currency": "USD"}]
        ),
    }
)
steps = st.one_of(
    st.tuples(st.just("payment"), ids, payments),
    st.tuples(st.just("payment"), ids, payments),
    st.tuples(st.just("ticket"), ids, openings),
    st.tuples(st.just("message"), ids, words),
    st.tuples(st.just("fraud"), ids, st.tuples(st.booleans(), st.sampled_from([0, 60, 9_000]))),
    st.tuples(st.just("category"), ids, st.sampled_from(["card", "app"])),
    st.tuples(st.just("tick"), ids, st.integers(0, 20_000)),
)
histories = st.lists(
    st.tuples(st.sampled_from([0.0, 3.0, 400.0]) | st.floats(0, 9_000), st.floats(-60, 4), steps),
    max_size=40,
)


def play(desk: Desk, history: Sequence[Any]) -> None:
    """Play a history; times may step back by an hour, subjects come again."""
    minutes = 0.0
    for gap, shift, (what, number, said) in history:
        minutes += gap
        at: dict[str, Any] = {"minutes": minutes + shift, "late": -shift}
        customer = {"customer_id": f"c{number % 2}"}
        match what:
            case "payment":
                desk.transaction(**at, transaction_id=f"s{number}", **customer, **said)
            case "ticket":
                desk.ticket(**at, ticket_id=f"k{number}", **customer, **said)
            case "message":
                message = {"type": "ticket.message", "ticket_id": f"k{number}", "text": said}
                desk.ticket(**at, **customer, **message)
            case "fraud":
                is_fraud, ago = said  # it may even be known before it happened: clocks differ
                desk.feedback(
                    **at, what="transaction", transaction_id=f"s{number}", is_fraud=is_fraud,
                    known_at=desk.at(minutes + shift - ago), **customer,
                )  # fmt: skip
            case "category":
                desk.feedback(
                    **at, what="ticket", ticket_id=f"k{number}", category=said, **customer
                )
            case _:
                while (record := desk.tick(minutes + said)) and record["decision"]["full"]:
                    pass


def produced(desk: Desk) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Give the features of all records and lessons, with the kind of what they are about."""
    for record in desk.records:
        if record["kind"] in CATALOGUES and record["features"]:
            yield record["kind"], record["features"]
    for lesson in desk.lessons:
        kind = "transaction" if lesson["text"] is None else "ticket"
        if lesson["features"]:
            yield kind, lesson["features"]


def faults(kind: str, features: Mapping[str, float]) -> Iterator[str]:
    """Name what departs from the catalogue."""
    known = {feature.name: feature for feature in CATALOGUES[kind]}
    for name, feature in known.items():
        if name not in features and not feature.optional:
            yield f"{name} is missing"
    for name, value in features.items():
        if name not in known:
            yield f"{name} is not in the catalogue"
        elif not isinstance(value, float):
            yield f"{name} is no float: {value!r}"
        elif not UNITS[known[name].unit].admits(value):
            yield f"{name} is {value!r}, not a {known[name].unit}"


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_every_feature_is_in_the_catalogue_and_keeps_its_range(history: list[Any]) -> None:
    desk = alerting_desk(lessons__implicit_share=0.7, lessons__anomaly_share=0.7)
    play(desk, history)
    for kind, features in produced(desk):
        assert list(faults(kind, features)) == []


def test_every_feature_of_the_catalogue_is_produced() -> None:
    desk = Desk(policy=policy_with(lessons__implicit_share=1.0, lessons__anomaly_share=1.0))
    known = {"terminal_id": "x", "device_id": "d", "country": "DE", "merchant_id": "m"}
    for _ in range(ENOUGH):
        desk.transaction(-24 * 60, 20, customer_id="o")
    desk.transaction(0, 20, transaction_id="t", **known)
    desk.transaction(5, 20, transaction_id="u", **known)
    for transaction_id in "tu":
        desk.feedback(10, "transaction", transaction_id=transaction_id, is_fraud=True)
    desk.transaction(20, 20, **known)
    desk.ticket(30)
    desk.feedback(40, "ticket", ticket_id="k", category="card")
    found: dict[str, set[str]] = {"transaction": set(), "ticket": set()}
    for kind, features in produced(desk):
        found[kind] |= set(features)
    for kind, catalogue in CATALOGUES.items():
        assert found[kind] == {feature.name for feature in catalogue}
    assert {lesson["task"] for lesson in desk.lessons} >= {"risk", "anomaly", "category"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"weekend": 0.5}, "weekend is 0.5"),
        ({"weekend": 2.0}, "weekend is 2.0"),
        ({"count_1h": 1.5}, "count_1h is 1.5"),
        ({"count_1h": -1.0}, "count_1h is -1.0"),
        ({"amount_ratio": -0.1}, "amount_ratio is -0.1"),
        ({"amount": float("nan")}, "amount is nan"),
        ({"amount": float("inf")}, "amount is inf"),
        ({"amount": 3}, "amount is no float"),
        ({"hour": 24.5}, "hour is 24.5"),
        ({"new": 1.0}, "new is not in the catalogue"),
    ],
)
def test_check_of_features_finds(changes: dict[str, float], fault: str) -> None:
    features = Desk().transaction(0)["features"]
    assert list(faults("transaction", features)) == []
    assert [each for each in faults("transaction", features | changes) if fault in each]
    del features["amount"]
    assert list(faults("transaction", features)) == ["amount is missing"]


def test_unit_admits_its_range_alone() -> None:
    assert Unit("count").admits(3.0)
    assert not Unit("count").admits(3.5)
    assert Unit("number", -1.0, 1.0).admits(-0.5)
    assert not Unit("number", -1.0, 1.0).admits(1.5)


def test_no_fraud_is_known_before_it_happened() -> None:
    desk = Desk()
    desk.transaction(100, 20, transaction_id="t", terminal_id="x")
    known_at = desk.at(40)  # the clock of whoever said so was an hour behind
    desk.feedback(101, "transaction", transaction_id="t", is_fraud=True, known_at=known_at)
    late = desk.transaction(50, 20, late=60, terminal_id="x")
    assert list(faults("transaction", late["features"])) == []
    assert "terminal_label" not in late["features"]
