"""Publisher and archiver: each effect once for subscribers, each row once in the warehouse."""

from tests.removals.removal import Removal

OUTLET = "streams/publisher/outlet.py"
PUBLISHER = "streams/publisher/publisher.py"
ARCHIVER = "streams/archiver/archiver.py"
STRETCH = "streams/archiver/stretch.py"
RESTART = "tests/streams/test_projections_restart.py::"
DOUBT = "tests/streams/test_projections_doubt.py::"
ONCE = RESTART + "test_archiver_inserts_each_row_once_over_restarts"
ARCHIVED = "tests/streams/test_archiver_stretch.py::"
SINK = "tests/sinks/test_sink.py::"
DECISIONS = "sinks/migrations/0001_decisions.sql"

PUBLISHED = (
    Removal(
        "one-transaction",
        "outputs and journal position are one transaction",
        "a crash between the two publishes every output of a batch twice",
        OUTLET,
        "        producer.send_offsets_to_transaction(offsets, membership, TRANSACTION_S)\n",
        "        producer.commit_transaction(TRANSACTION_S)\n"
        "        producer.begin_transaction()\n"
        "        producer.send_offsets_to_transaction(offsets, membership, TRANSACTION_S)\n",
        (DOUBT + "test_outputs_whose_position_fails_are_seen_by_nobody",),
    ),
    Removal(
        "read-committed",
        "learners and other readers see committed outputs only",
        "a lesson of an aborted transaction is learned, and learned again",
        "streams/kafka.py",
        '"isolation.level": "read_committed",',
        '"isolation.level": "read_uncommitted",',
        (DOUBT + "test_outputs_whose_position_fails_are_seen_by_nobody",),
    ),
    Removal(
        "fenced-before-positions",
        "positions are read only after an earlier transaction has been ended",
        "a transaction that comes through late is published a second time",
        PUBLISHER,
        "                await self._outlet.fence()\n",
        "",
        (DOUBT + "test_transaction_that_comes_through_late_is_published_once",),
    ),
    Removal(
        "positions-asked-after-doubt",
        "after a doubtful transaction the committed positions are asked",
        "a transaction that counted is published again, or one that did not is skipped",
        PUBLISHER,
        "            await self._reread([part.partition for part in parts], generation)\n",
        "            self._restart([part.partition for part in parts])\n",
        (RESTART + "test_doubtful_transaction_is_published_once",),
    ),
    Removal(
        "hanging-transaction",
        "a transaction whose call does not come back is left behind",
        "the publisher waits for ever after the broker was killed at the wrong moment",
        OUTLET,
        "        async with asyncio.timeout(HANGS_AFTER_S):\n",
        "        async with asyncio.timeout(None):\n",
        (DOUBT + "test_transaction_that_hangs_is_left_behind_and_published_once",),
    ),
    Removal(
        "own-membership",
        "a batch is published under the membership it was read with",
        "a replaced publisher passes for a member and publishes what another has published",
        PUBLISHER,
        "        if self.intake.generation != generation:\n            return  # assigned anew",
        "        if self.intake.generation < generation:\n            return  # assigned anew",
        ("tests/streams/test_publisher_slices.py::test_publisher_borrows_no_newer_membership",),
    ),
    Removal(
        "lost-positions",
        "a publisher that has lost its positions refuses to begin anew",
        "every alert ever sent is sent again",
        PUBLISHER,
        "if not any(found.values()) and not self._settings.publisher.from_beginning:",
        "if not found:",
        (RESTART + "test_publisher_without_positions_does_not_repeat_what_was_published",),
    ),
    Removal(
        "publisher-rule",
        "the publisher follows the reader's rule",
        "what a replaced desk writes late is published",
        PUBLISHER,
        "            if reading is None:\n                continue\n",
        "            reading = reading or readings[part.partition]\n",
        (RESTART + "test_publisher_goes_on_where_it_stopped_and_ignores_zombies",),
    ),
    Removal(
        "publisher-continuity",
        "the publisher takes only what continues its position",
        "a batch that was thrown back is skipped by the one behind it",
        PUBLISHER,
        "if any(part.continues[JOURNAL.name] != self._positions[part.partition]"
        " for part in parts):",
        "if not parts:",
        (
            "tests/streams/test_publisher_slices.py::"
            "test_publisher_takes_only_what_continues_its_position",
        ),
    ),
    Removal(
        "publisher-generation",
        "the publisher drops slices of an older assignment",
        "a journal that another publisher reads now is published twice",
        PUBLISHER,
        "if part.records and part.generation == generation and part.partition in self._readings",
        "if part.records and part.partition in self._readings",
        ("tests/streams/test_publisher_slices.py::test_publisher_drops_an_older_assignment",),
    ),
)

ARCHIVED_ONCE = (
    Removal(
        "noted-before-insert",
        "a range is noted before it is inserted",
        "after a crash the same rows are cut into other ranges, with other tokens",
        ARCHIVER,
        "        if not await self._commit(opening, generation):\n            return\n",
        "",
        (DOUBT + "test_archiver_repeats_the_range_it_had_begun_whatever_came_since",),
    ),
    Removal(
        "noted-done",
        "an inserted range is noted as done",
        "every restart inserts everything again",
        ARCHIVER,
        "        if await self._commit(done, generation):\n",
        "        if done:\n",
        (DOUBT + "test_archiver_that_was_restarted_inserts_nothing_again",),
    ),
    Removal(
        "range-as-it-was",
        "an open range is cut again exactly as it was noted",
        "ClickHouse does not recognise what it already has",
        STRETCH,
        "            raws = [raw for raw in raws if raw.offset < end]\n",
        "",
        (ARCHIVED + "test_open_range_is_cut_as_noted_and_the_rest_comes_after",),
    ),
    Removal(
        "range-digest",
        "the content of an open range is compared with the note",
        "a token names other rows than it did: ClickHouse drops them silently",
        STRETCH,
        "if self._open is not None and digest != self._open.digest:",
        "if digest is None:",
        (ARCHIVED + "test_open_range_with_other_content_is_refused",),
    ),
    Removal(
        "archiver-rule",
        "the archiver follows the reader's rule",
        "what a replaced desk writes late becomes rows",
        STRETCH,
        "            if reading is None:\n                continue\n",
        "            reading = reading or self._reading\n",
        (ARCHIVED + "test_late_writes_of_a_replaced_owner_make_no_rows", ONCE),
    ),
    Removal(
        "archiver-continuity",
        "the archiver takes only what continues its range",
        "rows are missing where a batch was lost",
        ARCHIVER,
        "                if at != stretch.end:\n",
        "                if at == stretch.start - 1:\n",
        (
            "tests/streams/test_archiver_slices.py::"
            "test_archiver_takes_only_what_continues_its_range",
        ),
    ),
    Removal(
        "archiver-generation",
        "the archiver drops slices of an older assignment",
        "rows of a partition that another archiver has now are inserted twice",
        ARCHIVER,
        "if part.generation != self._generation or not part.records:",
        "if not part.records:",
        ("tests/streams/test_archiver_slices.py::test_archiver_drops_an_older_assignment",),
    ),
    Removal(
        "given-up-insert",
        "what was collected behind an insert that was given up is given up too",
        "the position moves over rows that were never inserted",
        ARCHIVER,
        "        if self._begun != self._generation:\n            return\n",
        "",
        (
            "tests/streams/test_archiver_slices.py::"
            "test_what_follows_an_insert_that_was_given_up_is_not_noted",
        ),
    ),
    Removal(
        "token-says-content",
        "an insert's token names rows and digest besides the range",
        "another content of the same range is taken for a repeat and dropped silently",
        "sinks/sink.py",
        'f"{self.topic}/{self.partition}/{self.start}-{self.end}/{row_count}/{self.digest}/"',
        'f"{self.topic}/{self.partition}/{self.start}-{self.end}/"',
        (SINK + "test_other_content_of_the_same_range_is_not_taken_for_a_repeat",),
    ),
    Removal(
        "token-sent",
        "the token goes with every insert",
        "ClickHouse recognises equal blocks only, not the insert that was cut off",
        "sinks/clickhouse.py",
        '                    "insert_deduplication_token": token,\n',
        "",
        ("tests/sinks/test_clickhouse.py::test_insert_is_recognised_by_its_token",),
    ),
    Removal(
        "deduplication-window",
        "the warehouse remembers tokens",
        "a repeated insert lands twice",
        DECISIONS,
        "ORDER BY (journal_partition, number, journal_offset)\n"
        "SETTINGS non_replicated_deduplication_window = 10000;",
        "ORDER BY (journal_partition, number, journal_offset);",
        (SINK + "test_same_range_twice_lands_once",),
    ),
    Removal(
        "sorting-key",
        "the position is in the sorting key of every table",
        "repeated rows do not collapse, and different rows do",
        DECISIONS,
        "ORDER BY (journal_partition, number, journal_offset)\n",
        "ORDER BY (journal_partition, customer_id, event_id)\n",
        (
            "tests/sinks/test_tables.py::test_tables_collapse_by_position_and_never_expire",
            SINK + "test_repeats_collapse_for_good_when_parts_merge",
        ),
    ),
    Removal(
        "count-in-doubt",
        "what was inserted in doubt is counted, and inserted again where rows are missing",
        "a warehouse that ended between noting a token and keeping its rows lacks them for good",
        "sinks/sink.py",
        "if again and self._count(table, columns) < written[table]:",
        "if again and not columns:",
        ("tests/sinks/test_sink.py::test_rows_whose_token_alone_is_remembered_are_inserted_again",),
    ),
    Removal(
        "doubt-told",
        "the archiver tells of a range that may have been inserted before",
        "nothing is counted after a restart: a lost range stays lost",
        "streams/archiver/archiver.py",
        "again = stretch.is_reopened",
        "again = False",
        (
            "tests/streams/test_projections_restart.py::test_archiver_inserts_each_row_once_over_restarts",
        ),
    ),
)
