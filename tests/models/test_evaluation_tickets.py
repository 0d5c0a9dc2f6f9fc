"""Tickets whose figures are known beforehand."""

import pytest

from models.evaluation.baselines import TICKET_BASELINES, tokens
from models.evaluation.ticket_report import report_tickets
from models.evaluation.tickets import OURS, TicketProtocol, TicketRun, arrange, run_tickets
from tests.models.evaluation_rows import Ticket, tickets, ticking
from tests.models.memory_desk import policy_with

POLICY = policy_with()


def ran(
    rows: list[Ticket], test: list[Ticket] | None = None, seed: int = 0, **how: object
) -> TicketRun:
    protocol = TicketProtocol(**how)  # type: ignore[arg-type]
    return run_tickets(rows, test or [], seed, protocol, POLICY, TICKET_BASELINES, ticking())


@pytest.mark.parametrize("delay", [0, 1, 7])
def test_labels_are_unknown_until_their_time_has_come(delay: int) -> None:
    rows = [Ticket(f"k{i}", f"the same words {i}", "only") for i in range(20)]
    run = ran(rows, label_delay=delay)
    expected = [None] * (delay + 1) + ["only"] * (19 - delay)
    for name, contestant in run.contestants.items():
        assert contestant.stream.labels == expected, name


def test_all_labels_are_known_when_the_test_part_comes() -> None:
    rows = [Ticket(f"k{i}", "some words", "only") for i in range(5)]
    run = ran(rows, rows[:2], label_delay=100)
    for name, contestant in run.contestants.items():
        assert contestant.stream.labels == [None] * 5, name
        assert contestant.test.labels == ["only"] * 2, name


def test_majority_has_the_share_of_the_commonest_class() -> None:
    rows = [Ticket(f"k{i}", f"text {i}", "rare" if i % 5 == 0 else "common") for i in range(200)]
    report = report_tickets([ran(rows, rows)])
    majority = report["baselines"]["majority"]
    assert majority["test_accuracy"] == 0.8
    assert majority["prequential_accuracy"] == pytest.approx(0.8, abs=0.02)


def test_report_is_exact_on_separable_texts_and_names_what_it_was_tested_on() -> None:
    rows = tickets(300)
    report = report_tickets([ran(rows[:200], rows[200:], seed) for seed in (0, 1)])
    assert report["test_accuracy"] == report["macro_f1"] == report["accuracy_at_90_coverage"] == 1.0
    assert report["tested_on"] == "the file's test part, after the stream"
    assert report["tested_count"] == 100
    assert report["label_share_used"] == 1.0
    assert report["predict_us"] == pytest.approx(1.0, rel=0.01)  # one tick of the clock
    assert report["ratio_to_river_mnb"] == pytest.approx(1.0, rel=0.02)
    assert [each["test_accuracy"] for each in report["by_shuffle"]] == [1.0, 1.0]
    assert report["baselines"]["river_multinomial_nb"]["test_accuracy"] == 1.0
    curve = report["curves"]["prequential"]
    assert set(curve) == {OURS, *TICKET_BASELINES}
    assert curve[OURS][-1] == [200, 1.0]
    assert sum(each["count"] for each in report["curves"]["reliability"]) == 100
    assert report["curves"]["coverage"][-1] == [1.0, 1.0]


def test_without_a_test_part_the_last_fifth_is_judged_before_its_labels() -> None:
    rows = [Ticket(f"k{i}", "some words", "only") for i in range(10)]
    report = report_tickets([ran(rows, label_delay=8)])
    assert report["tested_on"].startswith("the last fifth of the stream")
    assert report["tested_count"] == 2
    assert report["test_accuracy"] == 0.5  # the first label comes between the last two


def test_shuffles_are_seeded_and_classes_come_one_after_the_other() -> None:
    rows = tickets(90)
    assert arrange(rows, 1, "shuffled") == arrange(rows, 1, "shuffled")
    assert arrange(rows, 1, "shuffled") != arrange(rows, 2, "shuffled")
    orders = set()
    for seed in range(8):
        labels = [row.label for row in arrange(rows, seed, "by-class")]
        firsts = list(dict.fromkeys(labels))
        assert labels == [label for label in firsts for _ in range(labels.count(label))]
        orders.add(tuple(firsts))
    assert len(orders) > 1


@pytest.mark.parametrize("ask", ["random", "margin"])
def test_budget_of_labels_is_held_and_only_asked_tickets_are_learned(ask: str) -> None:
    run = ran(tickets(1_500), label_share=0.3, ask=ask, label_delay=20)
    assert run.asked_count / 1_500 == pytest.approx(0.3, abs=0.01)
    for contestant in run.contestants.values():
        assert contestant.learning.count == run.asked_count


def test_equal_runs_are_equal() -> None:
    rows = tickets(120)
    first, again = (ran(rows, label_share=0.5, ask="margin") for _ in range(2))
    assert first.contestants[OURS].stream == again.contestants[OURS].stream


def test_tokens_are_rivers_words_and_chinese_characters() -> None:
    from river.feature_extraction import BagOfWords

    english = "I can't top-up my card, it's 3 days late!"
    assert tokens(english) == list(BagOfWords(lowercase=False).process_text(english))
    assert tokens("银行卡ok1") == ["ok1", "银", "行", "卡", "银行", "行卡"]
