"""The desk: the order of a batch, what is refused, what is thrown away, time and policies."""

from tests.removals.removal import Removal

DESK = "streams/desk/desk.py"
JOURNALING = "streams/desk/journaling.py"
PARTITION = "streams/desk/partition.py"
OWNERSHIP = "streams/desk/ownership.py"
ORDER = "tests/streams/test_desk_order.py::"
UNDER_WAY = "tests/streams/test_desk_under_way.py::"
BENCH = "tests/streams/test_desk_partition.py::"

REMOVALS = (
    Removal(
        "dead-letter-before-entry",
        "a dead letter is acknowledged before its entry is written",
        "after a crash in between the refused bytes are nowhere",
        JOURNALING,
        "        if dead:\n            await self._writer.append(dead)\n"
        "        entries = [entry for _, decided in judged.work for entry in decided.entries]\n"
        "        self._under_way.append((judged, self._writer.send_together(entries)))\n",
        "        entries = [entry for _, decided in judged.work for entry in decided.entries]\n"
        "        self._under_way.append((judged, self._writer.send_together(entries)))\n"
        "        if dead:\n            await self._writer.append(dead)\n",
        (ORDER + "test_dead_letter_is_acknowledged_before_its_entry_is_written",),
    ),
    Removal(
        "journal-before-state",
        "the state is written only after the journal has acknowledged",
        "a state holds decisions that nobody else ever sees",
        JOURNALING,
        "            stands = await self._writer.arrival(flight)\n",
        "            for partition, decided in judged.work:\n"
        "                position = partition.store.position\n"
        "                partition.store.acknowledge(decided.position)\n"
        "                partition.store.commit()\n"
        "                partition.store.position = position\n"
        "            stands = await self._writer.arrival(flight)\n",
        (
            UNDER_WAY + "test_doubt_throws_back_all_that_is_under_way",
            UNDER_WAY + "test_batch_before_a_doubtful_one_stays_durable_and_nothing_behind_it",
        ),
    ),
    Removal(
        "offsets-after-journal",
        "offsets are committed last, from what the journal has acknowledged",
        "lag displays and whoever resumes from them believe what a crash takes back",
        DESK,
        "                await self._journaling.send(judged)\n",
        "                self.intake.hint(\n"
        "                    [\n"
        "                        TopicPartition(topic, partition.identity.partition, at)\n"
        "                        for partition, decided in judged.work\n"
        "                        for topic, at in decided.position.sources.items()\n"
        "                    ]\n"
        "                )\n"
        "                await self._journaling.send(judged)\n",
        (ORDER + "test_offsets_are_committed_last_and_from_the_state",),
    ),
    Removal(
        "contiguous-offsets",
        "acknowledged offsets must be the expected ones",
        "a desk that was replaced unawares goes on, and its state holds what no reader accepts",
        JOURNALING,
        "if stands[JOURNAL.name, number] != expected:",
        "if not stands[JOURNAL.name, number]:",
        (
            ORDER + "test_unexpected_offset_throws_everything_back",
            "tests/streams/test_desk_rival.py::"
            "test_desk_notices_a_rival_by_the_offset_of_its_own_record",
        ),
    ),
    Removal(
        "thrown-back",
        "doubt about an acknowledgement throws away all speculative state and claims anew",
        "the next batch is decided on records that may not exist",
        DESK,
        "        self._owned.throw_back(sorted(staged))\n",
        "",
        (
            ORDER + "test_half_acknowledged_batch_leaves_no_state_and_is_claimed_anew",
            ORDER + "test_unexpected_offset_throws_everything_back",
        ),
    ),
    Removal(
        "all-under-way-thrown-back",
        "a doubt throws back all partitions of which something is under way",
        "a partition goes on from records that may not exist, for another one was in doubt",
        DESK,
        "        return [*filter(None, named), *self._journaling.partitions()]\n",
        "        return [*filter(None, named)]\n",
        (UNDER_WAY + "test_doubt_reaches_partitions_that_the_failing_batch_does_not_name",),
    ),
    Removal(
        "under-way-forgotten",
        "after a doubt nothing that was under way becomes durable any more",
        "records that a rival's claim made void are written into the state",
        JOURNALING,
        "        self._under_way.clear()\n",
        "",
        (UNDER_WAY + "test_unexpected_fault_leaves_nothing_of_what_was_under_way",),
    ),
    Removal(
        "settled-before-revoked",
        "what is under way becomes durable before a revoked partition is let go",
        "the next owner may hold the store while records are still being written into it",
        DESK,
        "            await self._settle()\n            self._owned.let_go_revoked()\n",
        "            self._owned.let_go_revoked()\n",
        (UNDER_WAY + "test_revoked_partition_is_let_go_once_what_is_under_way_is_durable",),
    ),
    Removal(
        "slices-apart",
        "each slice is made durable alone, behind its own acknowledgement",
        "the state holds records of the next slice, of which nothing is known yet",
        PARTITION,
        "            self.store.seal()\n",
        "            pass\n",
        (UNDER_WAY + "test_batch_before_a_doubtful_one_stays_durable_and_nothing_behind_it",),
    ),
    Removal(
        "state-written",
        "what was acknowledged is written while the desk runs, also where no record comes",
        "a crash after a quiet week has the whole week folded again",
        DESK,
        "                partition.store.commit_if_due()\n",
        "                pass\n",
        (UNDER_WAY + "test_quiet_partition_is_written_though_no_record_comes",),
    ),
    Removal(
        "desk-writer-dropped",
        "with the batch its producer is thrown away",
        "the next claim goes through a producer in doubt",
        JOURNALING,
        "        self._writer.throw_away()\n",
        "",
        (ORDER + "test_unexpected_offset_throws_everything_back",),
    ),
    Removal(
        "discard",
        "what a failed batch staged is forgotten",
        "the same records are decided again on a state that knows them already",
        PARTITION,
        "        self.store.discard()\n        self.position = self.store.position\n",
        "        self.position = self.store.position\n",
        (BENCH + "test_discard_leaves_no_trace_and_the_same_is_decided_again",),
    ),
    Removal(
        "continuity",
        "a slice must continue the fold",
        "a lost batch is skipped over, or a repeated one decided twice",
        PARTITION,
        "        return all(\n"
        "            sources.get(topic, OFFSET_BEGINNING) == at"
        " for topic, at in part.continues.items()\n        )",
        "        return bool(sources) or bool(part)",
        (
            BENCH + "test_continues_only_where_the_fold_stands",
            ORDER + "test_slice_that_does_not_continue_is_refused_and_read_again",
        ),
    ),
    Removal(
        "older-generation",
        "a slice of an older assignment is refused",
        "records of a partition that was away meanwhile are decided",
        DESK,
        "if partition is None or partition.identity.generation != part.generation:",
        "if partition is None:",
        (ORDER + "test_slice_of_an_older_assignment_is_dropped",),
    ),
    Removal(
        "sources-from-fold",
        "inputs are read on from the positions found in the fold",
        "committed offsets decide, and they are older or newer than the journal",
        OWNERSHIP,
        "self._intake.start(identity.partition, identity.generation, partition.position.sources)",
        "self._intake.start(identity.partition, identity.generation,"
        " dict.fromkeys(partition.position.sources, -1000))",
        (
            "tests/streams/test_desk_ownership.py::"
            "test_partition_is_read_from_its_fold_once_the_learners_know_its_revision",
        ),
    ),
    Removal(
        "revision-never-back",
        "a new owner waits until its learners know the journal's revision",
        "a customer's later payment is scored by learners that know less",
        OWNERSHIP,
        "            await self._feed.reach(store.position.revision, wanted)\n",
        "",
        (
            "tests/streams/test_desk_ownership.py::"
            "test_partition_is_read_from_its_fold_once_the_learners_know_its_revision",
        ),
    ),
    Removal(
        "late-revocation",
        "a revocation that comes late lets go of earlier assignments only",
        "what the next assignment gave is dropped",
        OWNERSHIP,
        "if partition.identity.generation != self._intake.generation:",
        "if partition.identity:",
        (
            "tests/streams/test_desk_halt.py::test_late_revocation_keeps_what_the_next_assignment_gave",
        ),
    ),
    Removal(
        "no-turn-after-fault",
        "after a fault no batch gets a turn",
        "the next batch builds on what the failed one left half done",
        "streams/turns.py",
        "                if not self._halted:\n                    await work()",
        "                await work()",
        ("tests/streams/test_desk_halt.py::test_desk_processes_nothing_after_a_fault",),
    ),
    Removal(
        "no-exception-leaves",
        "no exception leaves a batch",
        "Faust acknowledges the batch and goes on: it is lost",
        "streams/turns.py",
        '            log.exception("batch_failed", role=self._role, error=repr(fault))\n'
        "            self.stop(fault)",
        "            raise",
        (ORDER + "test_unexpected_fault_halts_instead_of_losing_the_batch",),
    ),
    Removal(
        "staged-before-fault",
        "a batch that ends in any fault leaves nothing staged",
        "closing the store or the next write makes half a batch durable",
        DESK,
        "                partition.discard()",
        "                pass",
        ("tests/streams/test_desk_halt.py::test_desk_processes_nothing_after_a_fault",),
    ),
    Removal(
        "tick-behind-backlog",
        "a tick is not ahead of the oldest unread input",
        "after two days down a label matures although feedback about it waits to be read",
        PARTITION,
        "bound = raw.published_ms if unread_ms is None else min(unread_ms, raw.published_ms)",
        "bound = raw.published_ms",
        (BENCH + "test_tick_waits_for_what_is_unread",),
    ),
    Removal(
        "clock-behind-backlog",
        "a quiet partition ticks by the clock only when nothing is unread",
        "a neighbour that is away lets time pass over what waits there",
        DESK,
        "if part.records or part.unread_ms is not None or",
        "if part.records or",
        (ORDER + "test_clock_ticks_only_where_nothing_is_unread",),
    ),
    Removal(
        "end-asked-for",
        "and the broker confirms it at that time",
        "after a pause time passes over what was published meanwhile",
        DESK,
        "return now_ms if await self.intake.all_read(part) else None",
        "return now_ms",
        (ORDER + "test_clock_does_not_tick_on_an_end_that_the_broker_does_not_confirm",),
    ),
    Removal(
        "quiet-rewind",
        "a slice without records that does not continue the fold has the inputs read again, too",
        "a lost batch behind which nothing comes is never decided",
        DESK,
        "self._owned.start(partition)  # also where only the time came: something was lost",
        "if part.records:\n                self._owned.start(partition)",
        (ORDER + "test_quiet_slice_that_does_not_continue_the_fold_has_the_inputs_read_again",),
    ),
    Removal(
        "all-topics-named",
        "a slice names the positions of all topics of its partition",
        "behind a batch thrown back, a tick passes what is to be read again on another topic",
        "streams/intake/intake.py",
        "            before,  # all topics: what is unread is known behind these positions only\n",
        "            {topic: before[topic] for topic in by_topic},\n",
        (
            "tests/streams/test_intake.py::"
            "test_slice_names_the_positions_of_topics_without_a_record_in_it",
        ),
    ),
    Removal(
        "tick-monotone",
        "ticks go forward only",
        "an old event turns time back: what fell due is announced at an earlier time",
        PARTITION,
        "        if tick_ms <= self._ticked_ms:\n            return\n",
        "",
        (BENCH + "test_tick_never_goes_back",),
    ),
    Removal(
        "tick-journaled",
        "a tick is journaled before it changes anything",
        "what fell due is not in the journal: a fold does not give the state",
        PARTITION,
        "            self._page.append(draft, None)\n            more = draft",
        '            named = {**draft, "number": self._page.number + 1}\n'
        "            self.store.stage(self._core.advance(named, self.store))\n"
        "            more = draft",
        (
            BENCH + "test_quiet_partition_ticks_by_the_clock_and_each_tick_once",
            BENCH + "test_tick_waits_for_what_is_unread",
        ),
    ),
    Removal(
        "policy-journaled",
        "a policy is journaled whole before the first decision under it",
        "replay cannot know by which policy was decided",
        PARTITION,
        "        self._page.append("
        "self._core.decide_policy(chosen.content, self._stamp(decided_ms)), None)\n",
        "",
        (
            BENCH + "test_newer_policy_is_journaled_before_the_first_decision_under_it",
            BENCH + "test_newer_policy_is_adopted_while_no_record_comes",
        ),
    ),
    Removal(
        "lessons-gap",
        "lessons that are gone from the log halt the desk",
        "learners stand still, or skip what others have learned",
        "streams/desk/lessons.py",
        'raise IncompatibleError(f"lessons are missing from the log: {fault}")',
        "continue",
        ("tests/streams/test_desk_lessons.py::test_lessons_that_are_gone_halt_the_desk",),
    ),
)
