"""What is measured is what the desk does: the same scores, categories and learners."""

from collections.abc import Iterator
from itertools import chain

from models.evaluation.dates import days_tested
from models.evaluation.tickets import OURS, TicketProtocol, arrange, run_tickets
from models.evaluation.transactions import Stream, TransactionProtocol
from tests.models.evaluation_rows import payments, tickets, ticking
from tests.models.memory_desk import START, Desk, policy_with

START_S = int(START.timestamp())
HOUR_MIN = 60.0
DAY_MIN = 24 * HOUR_MIN


def scores_of_the_desk(desk: Desk, rows: list, seed: int) -> Iterator[tuple[float, float | None]]:
    """Feed rows to a desk, each label at the moment it is known; give its scores."""
    labels = [((row.ts - START_S) / 60 + 7 * DAY_MIN, row) for row in rows if row.is_fraud]
    for row in rows:
        now = (row.ts - START_S) / 60
        while labels and labels[0][0] <= now:
            known, fraud = labels.pop(0)
            desk.tick(known)
            desk.feedback(
                known, "transaction", transaction_id=f"s{seed}-{fraud.id}", is_fraud=True,
                customer_id=fraud.customer_id, source="chargeback",
            )  # fmt: skip
        desk.tick(now)
        decided = desk.transaction(
            now, row.amount, transaction_id=f"s{seed}-{row.id}", customer_id=row.customer_id,
            terminal_id=row.terminal_id,
        )["decision"]  # fmt: skip
        yield decided["score"], decided["risk"]


def test_evaluation_scores_transactions_as_the_desk_does() -> None:
    policy = policy_with(lessons__implicit_share=0.5, lessons__anomaly_share=0.5, tick_items=10_000)
    rows = payments(420, START_S, 4_020)
    desk = Desk(policy=policy)
    expected = list(scores_of_the_desk(desk, rows, 0))
    test = days_tested(rows[0].ts, rows[-1].ts, 7)
    stream = Stream(0, policy, TransactionProtocol(test), ticking())
    judged: list[tuple[float, float | None]] = []
    judge = stream.desk.judge
    stream.desk.judge = lambda payment, extracted: keep(judged, judge(payment, extracted))  # type: ignore[method-assign]
    stream.take(rows, lambda count, ts: None)
    assert judged == expected
    assert len({score for score, _ in expected}) > 300
    assert sum(risk is not None for _, risk in expected) > 200
    ours, theirs = stream.desk.learners, desk.learners
    assert ours.risk.digest() == theirs.risk.digest()
    assert ours.anomaly.digest() == theirs.anomaly.digest()
    assert ours.knowledge.digest() == theirs.knowledge.digest()
    assert ours.quality.digest() == theirs.quality.digest()


def keep(judged: list, found):  # type: ignore[no-untyped-def]
    judged.append((found.score.score, found.score.risk))
    return found


def test_evaluation_reads_tickets_as_the_desk_does() -> None:
    policy = policy_with(asking__share=0.0)
    delay, seed = 3, 2
    rows = tickets(160)
    run = run_tickets(rows, [], seed, TicketProtocol(label_delay=delay), policy, (), ticking())
    desk = Desk(policy=policy)
    expected = []
    arranged = arrange(rows, seed, "shuffled")
    for number, row in enumerate(arranged):
        if number > delay:
            late = arranged[number - delay - 1]
            desk.feedback(number - 0.5, "ticket", ticket_id=late.id, category=late.label)
        decided = desk.ticket(number, row.id, text=row.text)["decision"]
        expected.append(
            (decided["category"], decided["category_confidence"] or 0.0, not decided["abstained"])
        )
    said = run.contestants[OURS].stream
    assert list(zip(said.labels, said.confidences, said.answered, strict=True)) == expected
    assert run.truths == [row.label for row in arranged]
    assert len(set(chain(said.confidences))) > 100
