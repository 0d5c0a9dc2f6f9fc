"""Each record: what is let in, what becomes a dead letter, what the pure core rules."""

from tests.removals.removal import Removal

ADMISSION = "streams/desk/admission.py"
GUARD = "streams/desk/guard.py"
CORE = "models/core.py"
BENCH = "tests/streams/test_desk_partition.py::"
REFUSED = BENCH + "test_refused_record_becomes_a_dead_letter_and_an_entry"

REMOVALS = (
    Removal(
        "oversize-input",
        "an oversize record is a dead letter",
        "one record makes a journal record that the broker refuses for ever",
        ADMISSION,
        "if len(raw.value) > MAX_EVENT_BYTES:",
        "if not raw.topic:",
        (REFUSED + "[oversize]",),
    ),
    Removal(
        "oversize-decision",
        "so is one whose decision does not fit the journal",
        "the broker refuses the append, and the desk tries it again for ever",
        "streams/desk/page.py",
        "if len(raw) > MAX_JOURNAL_BYTES:",
        "if not raw:",
        (BENCH + "test_decision_that_does_not_fit_the_journal_is_a_dead_letter",),
    ),
    Removal(
        "key-is-customer",
        "the key must be the customer",
        "a customer's records are scattered over partitions",
        ADMISSION,
        "if raw.key != event.customer_id.encode():",
        "if not raw.key:",
        (REFUSED + "[wrong_key]",),
    ),
    Removal(
        "murmur2",
        "a key must stand on its murmur2 partition",
        "tickets and transactions of one customer do not meet, silently",
        ADMISSION,
        "if right != self._partition:",
        "if right < 0:",
        (REFUSED + "[wrong_partition]",),
    ),
    Removal(
        "murmur2-producer",
        "own producers partition keys by murmur2, too",
        "alerts of one customer are spread over partitions that others do not expect",
        "streams/kafka.py",
        '        "partitioner": "murmur2_random",\n',
        "",
        (
            "tests/streams/test_partitioning.py::"
            "test_own_producer_puts_keys_where_everybody_else_does",
        ),
    ),
    Removal(
        "masking",
        "personal data is masked before anything is decided or written",
        "card numbers stand in the journal for ever",
        ADMISSION,
        "return self._core.mask(event, self._masking_key)",
        "return event",
        (BENCH + "test_personal_data_never_reaches_the_journal",),
    ),
    Removal(
        "io-is-no-dead-letter",
        "a neighbour's fault is never the record's",
        "a broker or disk that is away drains the topic into the dead letters",
        GUARD,
        "    if isinstance(fault, UnavailableError | IncompatibleError | MisconfiguredError):\n"
        "        raise fault\n",
        "",
        ("tests/streams/test_desk_guard.py::test_attempt_never_blames_a_record_for_a_neighbour",),
    ),
    Removal(
        "core-fault-is-dead-letter",
        "an exception of the pure core makes a dead letter of its record",
        "one poisonous record stops the partition for good",
        GUARD,
        "    if not isinstance(fault, MalformedError | RejectedError):\n",
        "    if not isinstance(fault, MalformedError | RejectedError):\n        raise fault\n"
        "    if False:\n",
        (
            BENCH + "test_record_that_the_core_cannot_decide_is_a_dead_letter",
            "tests/streams/test_desk_guard.py::"
            "test_attempt_refuses_a_record_that_cannot_be_decided",
        ),
    ),
    Removal(
        "dead-letter-run",
        "too many refusals in a row stop the desk",
        "a producer's mistake drains a topic",
        GUARD,
        "if run > self._run_limit or refused_count > self._share * window:",
        "if refused_count > self._share * window:",
        (
            "tests/streams/test_desk_guard.py::test_limit_stops_after_a_run_of_refusals",
            BENCH + "test_too_many_refusals_stop_the_desk_and_leave_nothing",
        ),
    ),
    Removal(
        "dead-letter-share",
        "too large a share of refusals stops the desk",
        "a mistake in every second record drains half a topic",
        GUARD,
        "if run > self._run_limit or refused_count > self._share * window:",
        "if run > self._run_limit:",
        ("tests/streams/test_desk_guard.py::test_limit_stops_at_a_share_of_the_window",),
    ),
    Removal(
        "duplicates",
        "the same event id at another position within 7 days is a duplicate",
        "a producer that sends twice is decided twice",
        CORE,
        "    if first is not None:\n        return {",
        "    if first is not None and not source:\n        return {",
        (
            "tests/models/test_core_laws.py::"
            "test_same_event_id_at_another_position_is_a_duplicate_for_seven_days",
        ),
    ),
    Removal(
        "duplicates-seven-days",
        "after 7 days an event id may come again",
        "the ids that producers use anew are refused for ever",
        CORE,
        'if seen is None or abs(source["published_ms"] - seen["at_ms"]) > DUPLICATE_MS:',
        "if seen is None:",
        (
            "tests/models/test_core_laws.py::"
            "test_same_event_id_at_another_position_is_a_duplicate_for_seven_days",
        ),
    ),
    Removal(
        "from-the-future",
        "an event more than 5 minutes ahead of its publishing is refused",
        "one wrong clock lets time pass for everybody on the partition",
        CORE,
        'if occurred_ms - source["published_ms"] > AHEAD_MS:',
        "if occurred_ms < 0:",
        (
            "tests/models/test_core_laws.py::"
            "test_event_more_than_five_minutes_ahead_of_publishing_is_refused",
            REFUSED + "[from_the_future]",
        ),
    ),
    Removal(
        "parked-feedback",
        "feedback that comes before its decision waits for it",
        "a label that was quicker than its payment is lost",
        "models/folding.py",
        '        if decision["outcome"] == "parked":\n            self._park()\n',
        "",
        (
            "tests/models/test_teaching.py::test_feedback_before_its_transaction_waits_for_it",
            "tests/models/test_teaching.py::test_feedback_before_its_ticket_waits_for_it",
        ),
    ),
    Removal(
        "known-as-of",
        "what became known later is invisible to an event",
        "a replay of old data sees the future",
        "models/knowledge.py",
        "for label in terminal.labels if label.known_ms <= as_of_ms]",
        "for label in terminal.labels if label]",
        ("tests/models/test_teaching.py::test_knowledge_is_invisible_before_it_became_known",),
    ),
    Removal(
        "entry-in-state",
        "a fold applies what is recorded, the same code as live",
        "a restarted desk has another state than the one that wrote the journal",
        "streams/journal/fold.py",
        "        state.stage(core.advance(record, state))\n",
        '        state.stage(core.advance({**record, "kind": "claim"}, state))\n',
        ("tests/streams/test_desk_takeover.py::test_lost_store_is_folded_anew_to_the_same_state",),
    ),
)
