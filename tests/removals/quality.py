"""The learners' quality: what figures count, who is trusted, what is reported."""

from tests.removals.removal import Removal

BOARD = "models/quality/board.py"
BOARD_TESTS = "tests/models/test_quality_board.py::"
REPORT_TESTS = "tests/models/test_quality_report.py::"
VERDICT_TESTS = "tests/models/test_quality_verdicts.py::"
TICKETS_FALL_BACK = (
    REPORT_TESTS + "test_tickets_are_read_without_a_learner_that_is_worse_until_it_recovers"
)

REMOVALS = (
    Removal(
        "fall-back-risk",
        "a risk learner that is worse than the scorecard does not score",
        "alerts follow a learner that has gone wrong, for as long as it stays so",
        "models/scoring.py",
        'if learners.quality.trusts("risk"):',
        "if risk is not None:",
        (REPORT_TESTS + "test_risk_falls_back_to_the_scorecard_and_comes_back",),
    ),
    Removal(
        "fall-back-category",
        "nobody answers for a category while its learner is worse than its baseline",
        "tickets go to the wrong people, as sure as ever",
        "models/reading.py",
        'if not learners.quality.trusts("category"):',
        "if not learners:",
        (TICKETS_FALL_BACK,),
    ),
    Removal(
        "fall-back-urgency",
        "the word rules say the urgency while its learner is worse than they are",
        "what is critical waits behind what is not",
        "models/reading.py",
        'if choices and learners.quality.trusts("urgency"):',
        "if choices:",
        (TICKETS_FALL_BACK,),
    ),
    Removal(
        "verdict-hysteresis",
        "a learner is trusted again only once it surely deserves it",
        "at the border decisions change from one way to the other with every label",
        "models/quality/verdicts.py",
        "    if trusted:\n",
        "    if margin >= 0.0:\n",
        (
            VERDICT_TESTS + "test_worse_learner_is_distrusted_until_it_recovers",
            VERDICT_TESTS + "test_learner_at_the_border_does_not_waver",
        ),
    ),
    Removal(
        "verdict-few-labels",
        "nobody is distrusted on a few labels",
        "the first mistakes of a young learner silence it",
        "models/quality/verdicts.py",
        "        if self.count >= self.least_count:\n",
        "        if self.count:\n",
        (VERDICT_TESTS + "test_nobody_is_distrusted_on_few_labels",),
    ),
    Removal(
        "quality-propensity",
        "a label stands for as many decisions as its propensity says",
        "a tenth of the honest ones is taken for all: precision and share of frauds come out high",
        BOARD,
        "cell.add(unit, unit / share, is_fraud, score",
        "cell.add(unit, unit, is_fraud, score",
        (BOARD_TESTS + "test_sampled_negatives_stand_for_all_of_them",),
    ),
    Removal(
        "quality-correction",
        "a correction takes the former label out of the figures",
        "a fraud known late counts as fraud and as ten honest ones",
        BOARD,
        "self._judge(lesson, Known.of(earlier), -1.0)",
        "Known.of(earlier)",
        (BOARD_TESTS + "test_correction_takes_the_former_label_back",),
    ),
    Removal(
        "quality-missing",
        "what is missing is counted from the sample, not from what is labelled",
        "figures speak for everything, whatever they rest on",
        BOARD,
        "decided[name] = decided.get(name, 0.0) + weight",
        "decided[name] = decided.get(name, 0.0)",
        (
            BOARD_TESTS + "test_missing_labels_are_counted_from_the_sample",
            BOARD_TESTS + "test_unlabelled_tickets_count_as_missing",
        ),
    ),
    Removal(
        "quality-once",
        "what was reported is noted in the partition's ledger",
        "every tick reports again, and a new owner from the beginning",
        "models/ledger.py",
        'reported = {} if quality is None else {"quality": quality}',
        "reported: dict[str, Any] = {}",
        (
            REPORT_TESTS + "test_report_is_made_once_and_again_when_it_is_due",
            REPORT_TESTS + "test_signal_is_reported_once",
            "tests/streams/test_desk_partition.py::"
            "test_quiet_first_partition_reports_on_the_learners_once",
        ),
    ),
    Removal(
        "quality-one-reporter",
        "one partition reports",
        "every figure is there as many times as there are partitions",
        "models/quality/report.py",
        "if partition != REPORTER or revision == 0:",
        "if revision == 0:",
        (REPORT_TESTS + "test_only_the_first_partition_reports",),
    ),
    Removal(
        "quality-quiet",
        "a quiet partition ticks for a report, too",
        "where no payment comes, nobody hears that a learner is no longer trusted",
        "models/core.py",
        "return bool(state.due(tick_ms, 1)) or is_reporting(tick_ms, state, learners, partition)",
        "return bool(state.due(tick_ms, 1))",
        (
            "tests/streams/test_desk_partition.py::"
            "test_quiet_first_partition_reports_on_the_learners_once",
        ),
    ),
    Removal(
        "quality-expired",
        "the archiver begins with the scorecards that are still stored",
        "the first archiver after 90 days halts at what has expired",
        "streams/archiver/notes.py",
        "notes[place] = (max(offset, first_offset(consumer, *place)), note)",
        "notes[place] = (offset, note)",
        (
            "tests/streams/test_archiver_notes.py::"
            "test_scorecards_begin_at_what_is_stored_and_everything_else_at_its_beginning",
        ),
    ),
)
