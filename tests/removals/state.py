"""The state on disk: the store of a partition and the checkpoints of the learners."""

from tests.removals.removal import Removal

STORE = "streams/desk/store.py"
CHECKPOINTS = "streams/desk/checkpoints.py"
STORE_TESTS = "tests/streams/test_desk_store.py::"
TESTS = "tests/streams/test_desk_checkpoints.py::"
RECOVERY = "tests/streams/test_desk_recovery.py::"

REMOVALS = (
    Removal(
        "still-while-saved",
        "learners that learned while they were saved are not kept",
        "a checkpoint of two revisions at once is what every desk begins with",
        CHECKPOINTS,
        'if learners.revision != header["revision"]:',
        "if False:",
        (TESTS + "test_learners_that_learn_while_they_are_saved_are_not_kept",),
    ),
    Removal(
        "content-verified",
        "a checkpoint's weights have the digest they had when it was begun",
        "what was torn in writing is learned on by everybody, and agreed upon",
        CHECKPOINTS,
        'if learners.content_digest() != header.get("content"):',
        "if False:",
        (TESTS + "test_checkpoint_that_holds_other_weights_than_it_says_is_refused",),
    ),
    Removal(
        "closed-feed",
        "nobody learns on once the feed is closing",
        "a takeover under way folds into what is being saved",
        "streams/desk/lessons.py",
        "if self._closed or self._digests.resting",
        "if self._digests.resting",
        (
            "tests/streams/test_desk_lesson_saving.py::"
            "test_nobody_learns_on_once_the_feed_is_closing",
        ),
    ),
    Removal(
        "one-atomic-write",
        "state and journal position are one atomic write",
        "after a full disk the position says more, or less, than the state",
        STORE,
        'batch.put(POSITION_KEY, encode({"format": FORMAT} | content))',
        'self._db.put(POSITION_KEY, encode({"format": FORMAT} | content))',
        (
            "tests/streams/test_desk_store.py::"
            "test_write_that_fails_moves_neither_state_nor_position",
        ),
    ),
    Removal(
        "only-acknowledged-written",
        "a store that closes writes what the journal has, and nothing that it may not have",
        "the next owner's state holds decisions that nobody else ever sees",
        STORE,
        "        layer = self._staging.acknowledged\n",
        "        self._staging.acknowledge_oldest()\n        layer = self._staging.acknowledged\n",
        (STORE_TESTS + "test_closed_store_has_all_that_was_acknowledged_and_nothing_else",),
    ),
    Removal(
        "snapshot-whole",
        "a checkpoint of a state holds all that its position says",
        "whoever restores it goes on behind records that it has never folded",
        STORE,
        "        self.commit()\n        try:\n            Checkpoint",
        "        try:\n            Checkpoint",
        (STORE_TESTS + "test_killed_process_leaves_state_and_position_of_the_last_write",),
    ),
    Removal(
        "agenda-held",
        "what is written to the agenda is known to the part of it that is held in memory",
        "a label's time passes, or an SLA runs out, and nobody is told until the next start",
        STORE,
        "        self._agenda.write(layer.added, layer.removed)\n",
        "",
        (STORE_TESTS + "test_entry_that_comes_before_all_that_were_looked_for_falls_due",),
    ),
    Removal(
        "store-format",
        "a store of another format is refused",
        "new code reads old values as if they were its own",
        STORE,
        'if stored.pop("format", None) != FORMAT:',
        'if stored.pop("format", None) is None:',
        ("tests/streams/test_desk_store.py::test_store_of_another_format_is_refused",),
    ),
    Removal(
        "store-core-version",
        "a store that another core version folded is folded anew",
        "decisions rest on a state that this code would not have come to",
        STORE,
        "if core != CORE_VERSION:",
        "if not core:",
        ("tests/streams/test_desk_store.py::test_store_that_another_core_folded_is_not_folded_on",),
    ),
    Removal(
        "state-sealed",
        "a checkpoint of a state is restored only after its seal was verified",
        "whoever can write a file into the directory decides what customers did",
        "streams/desk/state_checkpoints.py",
        "                reader.check()\n",
        "",
        (
            RECOVERY + "test_checkpoint_under_another_key_is_refused",
            RECOVERY + "test_damaged_checkpoint_gives_way_to_the_next_older",
        ),
    ),
    Removal(
        "state-of-this-log",
        "a restored state's last record is compared with the log",
        "a state of another journal is built upon",
        "streams/desk/recovery.py",
        "if not is_on_log(consumer, JOURNAL.name, partition, *stand):",
        "if not stand:",
        (
            RECOVERY + "test_checkpoint_of_another_log_is_refused",
            RECOVERY + "test_checkpoint_ahead_of_the_log_is_refused",
        ),
    ),
    Removal(
        "state-of-this-version",
        "so are its format and core version",
        "a state that this code would not have come to is built upon",
        "streams/desk/state_checkpoints.py",
        '            "core": CORE_VERSION,\n        }\n        for name, value in expected',
        "        }\n        for name, value in expected",
        (RECOVERY + "test_checkpoint_of_another_version_is_refused",),
    ),
    Removal(
        "seal-before-unpickling",
        "a checkpoint's seal is verified before a byte of it is unpickled",
        "whoever can write a file into the directory runs code in the desk",
        CHECKPOINTS,
        "            reader.check()\n",
        "",
        (
            TESTS + "test_checkpoint_under_another_key_is_not_unpickled",
            TESTS + "test_damaged_checkpoint_is_passed_over_unopened",
        ),
    ),
    Removal(
        "seal-keyed",
        "the seal is made with the key, where one is set",
        "anybody can seal",
        "streams/desk/sealed.py",
        'return hashlib.sha256() if key is None else hmac.new(key, digestmod="sha256")',
        "return hashlib.sha256()",
        (TESTS + "test_checkpoint_under_another_key_is_not_unpickled",),
    ),
    Removal(
        "fingerprint",
        "a checkpoint made by other code or configuration is refused",
        "learners of two versions are mixed silently, and no other worker has the same",
        CHECKPOINTS,
        'if header.get("fingerprint") != Learners.fingerprint():',
        'if not header.get("fingerprint"):',
        (TESTS + "test_checkpoint_of_other_code_gives_way_to_an_older_one",),
    ),
    Removal(
        "checkpoint-of-this-log",
        "a checkpoint's last lesson is compared with the log",
        "learners of another log are taken for ours",
        CHECKPOINTS,
        'if not agrees(header["revision"], header["lesson_digest"]):',
        'if not header["revision"]:',
        (TESTS + "test_checkpoint_of_another_log_is_not_believed",),
    ),
    Removal(
        "checkpoint-whole",
        "a checkpoint is written beside its place and moved there whole",
        "after a crash the newest checkpoint is half a one",
        "streams/desk/shelf.py",
        'part = path.with_name(f"{path.name}@{self._worker}{PART}")',
        "part = path",
        ("tests/streams/test_desk_shelf.py::test_checkpoint_is_not_seen_while_it_is_written",),
    ),
    Removal(
        "departure",
        "learners of one revision are compared between workers",
        "one worker decides otherwise than the rest, and nobody knows",
        "streams/desk/agreement.py",
        "        if own.differs(against):\n",
        "        if own.differs(own):\n",
        (
            "tests/streams/test_desk_agreement.py::"
            "test_agreement_with_a_rebuilt_one_stops_every_wrong_one_in_any_order",
            "tests/streams/test_desk_digests.py::"
            "test_departed_worker_says_so_and_is_marked_until_it_is_rebuilt",
        ),
    ),
    Removal(
        "departed-halts",
        "a worker whose learners have departed stops",
        "it goes on deciding with them",
        "streams/desk/lessons.py",
        "            self._checkpoints.discard()\n            raise self._digests.departure\n",
        "            return\n",
        ("tests/streams/test_desk_order.py::test_departed_learners_decide_nothing_more",),
    ),
)
