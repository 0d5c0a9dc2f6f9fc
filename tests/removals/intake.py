"""The intake: how records are read without a gap while everything around it moves."""

from tests.removals.removal import Removal

INTAKE = "streams/intake/intake.py"
CONTINUITY = "streams/intake/continuity.py"
TESTS = "tests/streams/test_intake.py::"

REMOVALS = (
    Removal(
        "paused-while-full",
        "a full channel pauses the partitions while polling goes on",
        "a neighbour that is away costs the membership, and every other partition a rebalance",
        INTAKE,
        "        self._wait_paused()\n",
        "        while not self._stopping.is_set() and not self._free.acquire(timeout=POLL_S):\n"
        "            pass\n",
        (TESTS + "test_full_channel_pauses_and_nothing_is_skipped",),
    ),
    Removal(
        "bounded-channel",
        "no more than a few batches are under way",
        "a neighbour that is away fills the memory",
        INTAKE,
        "        if any(part.records for part in batch):\n            self._wait_free()\n",
        "        if any(part.records for part in batch):\n            pass\n",
        (TESTS + "test_full_channel_pauses_and_nothing_is_skipped",),
    ),
    Removal(
        "stray-reread",
        "what comes in while paused is read again later",
        "records that slipped through the pause are skipped",
        INTAKE,
        "                self._continuity.reread(place)\n",
        "                pass\n",
        (TESTS + "test_full_channel_pauses_and_nothing_is_skipped",),
    ),
    Removal(
        "revocation-waits",
        "a revocation waits for the batches in flight",
        "the next owner starts while this one still writes; its work is thrown away",
        INTAKE,
        "        while told is not None and not told.done() and"
        " time.monotonic() < patient_until_s:\n",
        "        while told is None and time.monotonic() < patient_until_s:\n",
        (TESTS + "test_revocation_keeps_the_partitions_until_its_reader_is_done",),
    ),
    Removal(
        "revocation-ends-generation",
        "a revocation ends the generation at once",
        "batches of the old assignment count after the partition was somebody else's",
        INTAKE,
        "        self.generation += 1\n        self._continuity.own(())\n",
        "        self._continuity.own(())\n",
        (TESTS + "test_revocation_ends_the_generation_and_answers_who_asks",),
    ),
    Removal(
        "stale-after-assign",
        "records fetched under the assignment before are dropped",
        "a rewind is overtaken by what was fetched in front of it: records are skipped",
        CONTINUITY,
        "            if offset > max(expected, 0) and not self._confirm(place, offset):\n"
        "                return False\n",
        "",
        (
            "tests/streams/test_continuity.py::"
            "test_first_record_that_skips_some_counts_only_when_it_comes_again",
            "tests/streams/test_continuity.py::"
            "test_stale_first_record_cannot_hide_what_was_skipped",
            TESTS + "test_intake_skips_nothing_when_a_batch_is_lost_and_reread[True]",
        ),
    ),
    Removal(
        "stale-end",
        "so is the end of a partition seen under the assignment before",
        "a backlog is taken for read, and time passes over it",
        CONTINUITY,
        "            and not self._confirm(place, ~offset)  # an end is not a record\n",
        "            and not place\n",
        ("tests/streams/test_continuity.py::test_stale_end_is_not_believed_and_a_repeated_one_is",),
    ),
    Removal(
        "unread-of-every-topic",
        "all is read only when every topic was read to its end",
        "one quiet topic hides the backlog of another",
        CONTINUITY,
        "return min(unread, default=None)",
        "return max(unread, default=None)",
        (
            "tests/streams/test_continuity.py::"
            "test_unread_ms_is_unknown_until_every_topic_has_spoken",
        ),
    ),
    Removal(
        "gap-halts",
        "records that are gone from an input halt its reader",
        "retention that was too short loses events without a word",
        INTAKE,
        "or fault.fatal() or is_gap(fault):",
        "or fault.fatal():",
        (TESTS + "test_gap_in_the_log_ends_the_intake",),
    ),
    Removal(
        "fatal-halts",
        "a client that can go on no more ends its role",
        "a fenced member tries for ever what can never succeed",
        INTAKE,
        "elif fault.code() == KafkaError._FATAL or ",
        "elif ",
        (TESTS + "test_fatal_fault_of_the_client_ends_the_intake",),
    ),
    Removal(
        "resumed-after-assignment",
        "what was paused before an assignment is resumed after it",
        "partitions that went while paused come back and stand still for ever",
        INTAKE,
        "            self.consumer.resume(places)  # the client remembers what was paused before\n",
        "",
        (TESTS + "test_partitions_that_go_while_paused_come_back_running",),
    ),
    Removal(
        "no-offset-reset",
        "a position that is not on the log is an error",
        "the client jumps to the beginning or the end by itself",
        "streams/kafka.py",
        '"auto.offset.reset": "error",',
        '"auto.offset.reset": "earliest",',
        ("tests/streams/test_journal_reader.py::test_stretch_that_is_gone_is_never_read_over",),
    ),
    Removal(
        "failed-thread",
        "a reader thread that failed ends its role",
        "a role lives on and decides nothing",
        "streams/turns.py",
        "            if failure is not None:\n                self.stop(failure)\n"
        "                return\n",
        "            continue\n",
        ("tests/streams/test_desk_order.py::test_failed_thread_ends_the_desk",),
    ),
    Removal(
        "batches-kept",
        "the channel keeps its batches when Faust's own consumer rebalances",
        "a batch vanishes that is never said to be done: the intake waits for ever",
        "streams/role.py",
        "self._queue = ThrowableQueue(flow_control=FlowControlEvent(initially_suspended=False))",
        "self._queue = self.app.FlowControlQueue(maxsize=100, clear_on_resume=True)",
        (
            "tests/streams/test_role_batches.py::"
            "test_batches_stay_when_fausts_own_consumer_rebalances",
        ),
    ),
)
