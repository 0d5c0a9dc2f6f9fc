from collections.abc import Iterator

import pytest

from models.context import place
from models.fixed_job.core import FixedCore
from models.fixed_job.job import UNKNOWN, WEIGHTS, Customer, FixedJob, extract
from models.fixed_job.payloads import EVENT_BYTES, payloads
from models.learning import Learners
from models.policy import POLICY_V1, Policy
from models.state import MemoryState, Stamp
from models.verbs import Core
from schemas.codec import decode_json, encode
from schemas.errors import MalformedError, RejectedError
from schemas.journal import Source
from schemas.registry import TRANSACTIONS

COUNT, CUSTOMERS = 400, 20


@pytest.fixture(scope="module")
def job() -> FixedJob:
    return FixedJob()


def answers(job: FixedJob) -> Iterator[tuple[bytes, dict, bytes]]:
    states: dict[bytes, Customer] = {}
    for key, raw in payloads(3, COUNT, CUSTOMERS):
        states[key], record = job.answer(raw, states.get(key))
        yield key, states[key], record


def test_payloads_are_of_the_size_that_was_measured_elsewhere():
    found = list(payloads(1, COUNT, CUSTOMERS))
    assert {len(raw) for _, raw in found} == {EVENT_BYTES}
    assert found == list(payloads(1, COUNT, CUSTOMERS))
    assert found != list(payloads(2, COUNT, CUSTOMERS))
    assert all(decode_json(raw)["customer_id"].encode() == key for key, raw in found)
    assert len({key for key, _ in found}) == CUSTOMERS


def test_decisions_and_states_are_of_the_size_that_was_measured_elsewhere(job):
    found = list(answers(job))
    lengths = [len(record) for _, _, record in found]
    assert 393 - 5 <= min(lengths) <= max(lengths) <= 393 + 5
    assert all(150 <= len(encode(state)) <= 250 for _, state, _ in found)


def test_features_are_sixteen_numbers_between_0_and_1(job):
    customer: Customer = UNKNOWN
    for _, raw in payloads(5, 200, 1):
        event = job.decode(raw)
        features = extract(event, customer, event.occurred_ms)
        assert features.keys() == WEIGHTS.keys()
        assert len(features) == 16
        assert all(0.0 <= value <= 1.0 for value in features.values())
        customer, _ = job.answer(raw, customer)


def test_scores_depend_on_the_customer_and_on_the_event(job):
    records = [decode_json(record) for _, _, record in answers(job)]
    assert len({record["score"] for record in records}) > COUNT / 2
    assert len({record["anomaly"] for record in records}) > 10
    assert {record["alert"] for record in records} == {True, False}


def test_two_jobs_answer_with_the_same_bytes(job):
    assert list(answers(job)) == list(answers(FixedJob()))


def test_what_is_no_transaction_is_refused(job):
    with pytest.raises(MalformedError):
        job.answer(b"{", None)
    with pytest.raises(RejectedError):
        job.answer(b'{"event_id": "e"}', None)


def test_core_decides_what_the_plain_functions_decide(job):
    core: Core = FixedCore()
    state, learners, policy = MemoryState(), Learners(), Policy.from_content(POLICY_V1)
    expected = [(key.decode(), was, decode_json(record)) for key, was, record in answers(job)]
    for number, (_, raw) in enumerate(payloads(3, COUNT, CUSTOMERS)):
        event = core.mask(job.decode(raw), b"")
        source = Source(topic=TRANSACTIONS.name, partition=0, offset=number, published_ms=number)
        stamp = Stamp(0, 1, number + 1, 0)
        draft = core.decide_event("transaction", event, source, state, learners, policy, stamp)
        state.apply(core.advance(draft, state))
        customer_id, customer, record = expected[number]
        assert draft == {name: record[name] for name in draft} | {"source": source}
        assert state.get("customer", place("default", customer_id)) == customer


def test_core_takes_policies_as_the_real_one_and_lets_time_pass():
    core = FixedCore()
    state, learners, policy = MemoryState(), Learners(), Policy.from_content(POLICY_V1)
    draft = core.decide_policy(POLICY_V1, Stamp(0, 1, 1, 0))
    changes = core.advance({"number": 1, **draft}, state)
    assert ("policy", "") in changes.rooms
    assert core.decide_tick(10**13, state, learners, policy, Stamp(0, 1, 1, 0)) is None
    assert not core.is_tick_due(10**13, state, learners, 0)
