"""Publishing a schedule: order, barriers, speed, and what is added on the way."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode
from schemas.feedback import FEEDBACK
from schemas.outputs import Alert, Question
from streams.simulator.analyst import Analyst
from streams.simulator.clerk import Clerk
from streams.simulator.pacing import Addenda, merged, publish
from streams.simulator.schedule import Agenda, Scheduled, Truth

HOUR_MS = 3_600_000


def at(time_ms: int, key: str = "c") -> Scheduled:
    return Scheduled(time_ms, "topic", key, b"%d" % time_ms)


@given(st.lists(st.integers(0, 100), max_size=30))
def test_agenda_runs_in_order_of_time_then_of_planning(times: list[int]) -> None:
    agenda = Agenda()
    for number, time_ms in enumerate(times):
        agenda.plan(time_ms, at(time_ms, str(number)))
    found = [(event.at_ms, int(event.key)) for event in agenda.run()]
    assert found == sorted((time_ms, number) for number, time_ms in enumerate(times))


@given(st.lists(st.integers(0, 50), max_size=30).map(sorted))
def test_publish_sends_all_in_order_with_a_barrier_before_each_interval(times: list[int]) -> None:
    seen: list[Any] = []
    count = publish(
        [at(time_ms) for time_ms in times],
        lambda topic, key, value: seen.append(int(value)),
        barrier_every_ms=10,
        barrier=lambda: seen.append("barrier"),
    )
    assert count == len(times)
    assert [x for x in seen if x != "barrier"] == times
    expected: list[Any] = []
    for time_ms, before in zip(times, [None, *times], strict=False):
        if before is not None and time_ms // 10 > before // 10:
            expected.append("barrier")
        expected.append(time_ms)
    assert seen == ([*expected, "barrier"] if times else [])


def test_publish_paces_by_the_clock_without_the_time_of_barriers() -> None:
    now = [0.0]
    sent: list[float] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def barrier() -> None:
        now[0] += 100

    publish(
        [at(0), at(1), at(HOUR_MS), at(HOUR_MS + 1)],
        lambda topic, key, value: sent.append(now[0]),
        per_s=2,
        barrier=barrier,
        clock=lambda: now[0],
        sleep=sleep,
    )
    assert sent == [0, 0.5, 101, 101.5]


def test_publish_reports_progress_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    publish(
        (at(n) for n in range(1_200)),
        lambda topic, key, value: None,
        barrier_every_ms=None,
        on_progress=lambda count, at_ms: seen.append((count, at_ms)),
    )
    assert seen == [(500, 499), (1_000, 999), (1_200, 1_199)]


def test_merged_puts_addenda_in_their_place_and_leaves_out_those_after_the_end() -> None:
    addenda = Addenda()
    addenda.add(at(25, "late"))
    addenda.add(at(5, "early"))
    addenda.add(at(99, "never"))
    found = [event.key for event in merged([at(10), at(20), at(30)], addenda)]
    assert found == ["early", "c", "c", "late", "c"]
    assert len(addenda) == 1


def test_merged_takes_addenda_that_a_barrier_adds() -> None:
    addenda = Addenda()
    sent: list[int] = []
    publish(
        merged([at(0), at(HOUR_MS), at(2 * HOUR_MS)], addenda),
        lambda topic, key, value: sent.append(int(value)),
        barrier=lambda: addenda.add(at(HOUR_MS + 7)),
    )
    assert sent == [0, HOUR_MS, HOUR_MS + 7, 2 * HOUR_MS]
    assert len(addenda) == 2  # of the barriers before the last event and after it


def alert(number: int) -> Alert:
    return {
        "id": f"0/{number}/0", "tenant": "default", "customer_id": "c", "entity": "customer:c",
        "transaction_id": "bad" if number % 2 else "good", "severity": "high",
        "typology": "stolen_card", "score": 0.9, "score_kind": "risk", "percentile": 0.99,
        "amount_minor": 1, "currency": "EUR", "case_key": "k", "dedup_key": "d", "reasons": [],
        "evidence": [], "open_ticket_ids": [], "occurred_at": "2026-01-01T10:00:00.000Z",
        "decided_at": "2026-01-01T10:00:00.000Z",
    }  # fmt: skip


def test_analyst_is_mostly_right_later_and_reproducible() -> None:
    truth = Truth(transactions={"bad": True, "good": False})
    answers = [Analyst(truth, 1).review(alert(n)) for n in range(400)]
    assert answers == [Analyst(truth, 1).review(alert(n)) for n in range(400)]
    assert 0.75 * 400 < sum(a is not None for a in answers) < 0.95 * 400
    right = {0: "refuted", 1: "confirmed"}
    verdicts = []
    for number, answer in enumerate(answers):
        if answer is None:
            continue
        event = decode(FEEDBACK, answer.value)
        assert event.occurred_ms == answer.at_ms > 1_767_261_600_000
        value = orjson.loads(answer.value)
        assert value["alert_id"] == f"0/{number}/0"
        verdicts.append(value["verdict"] == right[number % 2])
    assert 0.8 < sum(verdicts) / len(verdicts) < 0.98


def question(number: int) -> Question:
    return {
        "id": f"0/{number}/0", "tenant": "default", "customer_id": "c", "ticket_id": f"k{number}",
        "task": "category", "categories": [], "propensity": 0.3, "reason": "uncertain",
        "language": "en", "occurred_at": "2026-01-01T10:00:00.000Z",
        "decided_at": "2026-01-01T10:00:00.000Z",
    }  # fmt: skip


def test_clerk_answers_most_questions_rightly_later_and_reproducibly() -> None:
    truth = Truth(
        tickets={f"k{n}": ("fees", "card_delivery")[n % 2] for n in range(400)},
        moods={f"k{n}": "angry" for n in range(200)},
    )
    answers = [Clerk(truth, 1).answer(question(n)) for n in range(400)]
    assert answers == [Clerk(truth, 1).answer(question(n)) for n in range(400)]
    assert 0.8 * 400 < sum(a is not None for a in answers) < 400
    right = []
    for number, answer in enumerate(answers):
        if answer is None:
            continue
        event = decode(FEEDBACK, answer.value)
        assert event.occurred_ms == answer.at_ms > 1_767_261_600_000
        value = orjson.loads(answer.value)
        assert value["ticket_id"] == f"k{number}"
        assert ("mood" in value) == (number < 200)
        right.append(value["category"] == truth.tickets[f"k{number}"])
    assert 0.9 < sum(right) / len(right) < 1.0
    assert Clerk(truth, 1).answer({**question(3), "ticket_id": "of somebody else"}) is None
