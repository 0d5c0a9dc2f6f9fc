"""One journal partition on its way: its state so far, and the record that comes next."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from models import core
from models.learning import Learners
from models.policy import POLICY_V1, Policy
from schemas.codec import decode_json
from schemas.errors import IncompatibleError
from streams.desk.guard import Refusal, attempt
from streams.journal.acceptance import Reading
from streams.journal.reader import Entry
from streams.replay.again import Replayed, decide_again
from streams.replay.state import PackedState


class Track:
    """Folds a partition record by record, up to the last chosen one.

    Args:
        partition: The number.
        partition_count: Of the journal.
        entries: The partition from its beginning.
        eligible: Which accepted records are counted for ``chosen``.
        chosen: Places among the eligible records, rising.
        lessons_end: A record that names lessons beyond it drags nobody along.

    Attributes:
        record: The next accepted record; ``None`` behind the last chosen one.
        revision: The learners' revision at the next record: its own, or the one before.
        is_chosen: Whether the next record is to be decided again.
        reading: After the next record, as the reader's rule sees it.
    """

    def __init__(
        self,
        partition: int,
        partition_count: int,
        entries: Iterator[Entry],
        eligible: Callable[[Mapping[str, Any]], bool],
        chosen: Iterable[int],
        lessons_end: int,
    ) -> None:
        self.partition = partition
        self.record: Mapping[str, Any] | None = None
        self.revision = 0
        self.is_chosen = False
        self.reading = Reading()
        self._partition_count = partition_count
        self._entries = entries
        self._eligible = eligible
        self._lessons_end = lessons_end
        self._chosen = iter(chosen)
        self._next_chosen = next(self._chosen, None)
        self._place = 0
        self._raw = b""
        self._state = PackedState()
        self._policy: Policy | None = None
        self._step()

    def decide_again(self, learners: Learners) -> Replayed:
        """Decide the next record again; changes nothing.

        Args:
            learners: At :attr:`revision`.
        """
        assert self.record is not None
        if self._policy is None:
            content = self._state.get("policy", "")
            self._policy = Policy.from_content(POLICY_V1 if content is None else content)
        return decide_again(
            self._raw,
            self.record,
            self._state,
            learners,
            self._policy,
            self._partition_count,
            self.partition,
        )

    def fold(self) -> None:
        """Fold the next record as it is recorded and go on to the one after it.

        Raises:
            IncompatibleError: the record cannot be folded: it is not what a desk wrote.
        """
        record = self.record
        assert record is not None
        if record["kind"] != "claim":
            changes = attempt(lambda: "fold", lambda: core.advance(record, self._state))
            if isinstance(changes, Refusal):
                raise IncompatibleError(
                    f"{self.partition}/{record['number']} cannot be folded: {changes.error} "
                    f"{changes.message}; this record was not written by a desk"
                )
            self._state.stage(changes)
        if record["kind"] == "policy":
            self._policy = None
        self._step()

    def _step(self) -> None:
        self.record, self.is_chosen = None, False
        if self._next_chosen is None:
            return
        for entry in self._entries:
            record: Mapping[str, Any] = decode_json(entry.value)
            reading = self.reading.accept(record)
            if reading is None:
                continue
            self.record, self.reading, self._raw = record, reading, entry.value
            learner = record.get("learner")
            if learner is not None and learner["revision"] <= self._lessons_end:
                self.revision = max(self.revision, learner["revision"])
            if self._eligible(record):
                self.is_chosen = self._place == self._next_chosen
                if self.is_chosen:
                    self._next_chosen = next(self._chosen, None)
                self._place += 1
            return
