"""Tickets and their labels: what is asked, at what chance, and who answers for a category."""

from tests.removals.removal import Removal

LABELS = "models/ticket_labels.py"
READING = "models/reading.py"
ASKING_TESTS = "tests/models/test_asking.py::"
LABEL_TESTS = "tests/models/test_ticket_labels.py::"
READING_TESTS = "tests/models/test_reading.py::"

REMOVALS = (
    Removal(
        "asking-budget",
        "what was spent of the budget of questions moves the chance of the next one",
        "when the margins drift, people are asked about far more tickets than was agreed",
        "models/asking.py",
        "rate = min(max(rules.share + _debt(asking, rules.share) / _PATIENCE, floor), 1.0)",
        "rate = rules.share",
        (
            ASKING_TESTS + "test_asking_holds_its_budget_at_every_moment[margin-rising]",
            ASKING_TESTS + "test_asking_holds_its_budget_at_every_moment[margin-jumping]",
        ),
    ),
    Removal(
        "asking-counted",
        "every ticket that could be asked about is counted in the fold",
        "a new owner of the partition begins the budget anew",
        "models/folding.py",
        "            self._fold_asking()\n",
        "",
        (LABEL_TESTS + "test_questions_hold_the_policys_budget",),
    ),
    Removal(
        "asking-floor",
        "every ticket has some chance to be asked about",
        "of what the learner is wrongly sure of nobody hears, and no weight makes up for it",
        "models/asking.py",
        "chance = floor + (1.0 - floor) * _preference(_ranks(asking, margin), aim, rules.softness)",
        "chance = _preference(_ranks(asking, margin), rate, rules.softness)",
        (
            ASKING_TESTS + "test_asking_prefers_low_margins_and_leaves_every_ticket_a_chance",
            ASKING_TESTS + "test_propensities_make_estimates_unbiased_where_the_plain_mean_is_not",
        ),
    ),
    Removal(
        "asking-propensity",
        "a lesson that was asked for carries the chance with which it was",
        "estimates take the hard tickets that were asked about for all tickets",
        "models/teaching.py",
        'return float(decision["ask_propensity"]) if decision.get("asked") else 1.0',
        "return 1.0",
        (
            LABEL_TESTS
            + "test_asked_tickets_give_one_question_each_and_lessons_with_their_propensity",
        ),
    ),
    Removal(
        "asking-weight",
        "a label that was asked for weighs as many tickets as it stands for",
        "confidence is judged by the hard tickets alone: the desk answers for too little",
        "models/learning.py",
        'return 1.0 / lesson["propensity"] if lesson.get("asked") else 1.0',
        "return 1.0",
        (LABEL_TESTS + "test_label_that_was_asked_for_counts_for_the_tickets_that_were_not",),
    ),
    Removal(
        "asking-known",
        "nobody is asked for a category that feedback has named before",
        "people answer what they have said, out of the budget",
        LABELS,
        '    if all(findings["category"] is None for findings in waiting):\n',
        "    if waiting is not None:\n",
        (LABEL_TESTS + "test_ticket_whose_category_is_known_already_is_no_candidate",),
    ),
    Removal(
        "abstention",
        "below the confidence that the wanted precision needs, a category is only a guess",
        "guesses go out as answers",
        READING,
        'best is None or best["probability"] < threshold',
        "best is None",
        (
            READING_TESTS
            + "test_category_below_the_threshold_is_a_guess_with_all_its_probabilities"
            "[0.6-0.59-True]",
            READING_TESTS + "test_abstained_category_may_be_changed_by_a_surer_message",
        ),
    ),
    Removal(
        "abstained-open",
        "a category that the desk does not answer for gives way to a surer one",
        "a wrong guess at the first sentence stays, whatever the customer explains",
        READING,
        'doubted = ticket.get("abstained") or ticket["confidence"] < reclassify_below',
        'doubted = ticket["confidence"] < reclassify_below',
        (READING_TESTS + "test_abstained_category_may_be_changed_by_a_surer_message",),
    ),
)
