"""The journal: what a reader accepts, how a partition is claimed, how records are appended."""

from tests.removals.removal import Removal

ACCEPTANCE = "streams/journal/acceptance.py"
TAKEOVER = "streams/desk/takeover.py"
WRITER = "streams/journal/writer.py"

ENTRY_RULE = (
    'if epoch == self.epoch and writer == self.writer and record["number"] == self.number + 1:'
)
ONLY_NEXT = (
    "tests/streams/test_journal_acceptance.py::"
    "test_reading_accepts_only_the_next_number_of_the_current_writer"
)

REMOVALS = (
    Removal(
        "claim-greater-epoch",
        "a claim counts only with a greater epoch",
        "two owners with one epoch take turns at being the current one",
        ACCEPTANCE,
        "return Reading(epoch, writer, self.number) if epoch > self.epoch else None",
        "return Reading(epoch, writer, self.number)",
        (
            "tests/streams/test_journal_acceptance.py::"
            "test_reading_accepts_a_claim_only_with_a_greater_epoch",
        ),
    ),
    Removal(
        "current-epoch",
        "any other record counts only with the current epoch",
        "what a replaced owner writes late is accepted",
        ACCEPTANCE,
        ENTRY_RULE,
        'if writer == self.writer and record["number"] == self.number + 1:',
        (ONLY_NEXT,),
    ),
    Removal(
        "current-writer",
        "any other record counts only from the current writer",
        "two writers that claimed one epoch are both accepted",
        ACCEPTANCE,
        ENTRY_RULE,
        'if epoch == self.epoch and record["number"] == self.number + 1:',
        (ONLY_NEXT,),
    ),
    Removal(
        "next-number",
        "any other record counts only with the next number",
        "a record that is sent twice counts twice; one that got lost leaves a hole",
        ACCEPTANCE,
        ENTRY_RULE,
        "if epoch == self.epoch and writer == self.writer:",
        (ONLY_NEXT,),
    ),
    Removal(
        "claim-read-back",
        "nobody decides before the own claim was read back and accepted",
        "of two that claim at once, the one who lost decides into the void",
        TAKEOVER,
        "if (reading.epoch, reading.writer) == (epoch, name):",
        "if reading:",
        ("tests/streams/test_desk_takeover.py::test_claim_that_a_rival_forestalled_is_made_again",),
    ),
    Removal(
        "fold-before-claim",
        "a new owner folds everything up to its claim",
        "records of the former owner are decided a second time",
        TAKEOVER,
        "            _fold_until(consumer, store, partition, offset + 1, core, wanted, folded)\n"
        "            reading = store.position.reading\n"
        "            if (reading.epoch, reading.writer) == (epoch, name):",
        "            reading = store.position.reading\n            if reading:",
        ("tests/streams/test_desk_takeover.py::test_record_that_came_before_the_claim_is_folded",),
    ),
    Removal(
        "store-verified",
        "a store's last record is compared with the log",
        "a state without its journal is built upon",
        TAKEOVER,
        "if digests != [position.last_digest]:",
        "if digests != digests:",
        (
            "tests/streams/test_desk_takeover.py::"
            "test_store_that_disagrees_with_the_log_is_folded_anew",
            "tests/streams/test_desk_takeover.py::test_store_ahead_of_the_log_is_folded_anew",
        ),
    ),
    Removal(
        "damaged-store",
        "a store whose files are damaged is removed and folded anew",
        "a worker cannot take its partition over until somebody clears its disk",
        TAKEOVER,
        "            remove(path)\n",
        "            raise\n",
        ("tests/streams/test_desk_takeover.py::test_damaged_store_is_folded_anew",),
    ),
    Removal(
        "every-acknowledgement",
        "a batch counts only when each of its records was acknowledged",
        "a record that the broker rejected is taken for written",
        WRITER,
        "if all_known and not faults and not unanswered_count:",
        "if not unanswered_count:",
        (
            "tests/streams/test_journal_writer.py::"
            "test_rejected_or_unanswered_record_puts_the_whole_append_in_doubt",
        ),
    ),
    Removal(
        "acknowledgement-in-time",
        "what is not acknowledged in time is in doubt",
        "records that are still under way are taken for written",
        WRITER,
        "if all_known and not faults and not unanswered_count:",
        "if not faults:",
        (
            "tests/streams/test_journal_writer.py::"
            "test_rejected_or_unanswered_record_puts_the_whole_append_in_doubt",
        ),
    ),
    Removal(
        "nobody-between",
        "the records of a batch stand one behind the other",
        "a rival's claim between them is not noticed, and what follows it counts for nobody",
        "streams/journal/flight.py",
        "if start >= 0 and end - start == self.count else",
        "if start >= 0 else",
        (
            "tests/streams/test_journal_writer.py::"
            "test_somebody_elses_record_between_puts_the_append_in_doubt",
        ),
    ),
    Removal(
        "each-record-answered",
        "what was sent before is waited for until each of its records is answered for",
        "a record that failed is taken for written, since one behind it was acknowledged",
        "streams/journal/flight.py",
        "while self.answered_count() < self.count and len(self._producer):",
        "while not self.answered_count() and len(self._producer):",
        (
            "tests/streams/test_journal_writer.py::"
            "test_what_was_sent_before_is_not_held_up_by_what_was_sent_since",
        ),
    ),
    Removal(
        "producer-purged",
        "a producer in doubt is emptied before it is left",
        "it goes on sending what was given up, behind the next claim",
        WRITER,
        "            self._producer.purge()\n",
        "",
        (
            "tests/streams/test_journal_writer.py::test_doubt_empties_the_producer_and_makes_another",
        ),
    ),
    Removal(
        "producer-recreated",
        "after any doubt another producer is made",
        "a producer whose sequence is broken fails for ever, or repeats",
        WRITER,
        "            self._producer.purge()\n            self._producer = None",
        "            self._producer.purge()",
        (
            "tests/streams/test_journal_writer.py::test_doubt_empties_the_producer_and_makes_another",
        ),
    ),
    Removal(
        "journal-gap",
        "no fold of the journal crosses a gap",
        "a state is folded from a journal whose beginning was deleted",
        "streams/journal/reader.py",
        'raise IncompatibleError(f"{topic}/{partition} has lost {start}: {fault}")',
        "return",
        ("tests/streams/test_journal_reader.py::test_stretch_that_is_gone_is_never_read_over",),
    ),
)
