"""A stretch of one log that is to be inserted as one range."""

import time
from collections.abc import Sequence

from schemas.codec import decode_json
from schemas.errors import IncompatibleError
from schemas.registry import JOURNAL, LESSONS
from sinks.projection import Rows
from sinks.sink import Range
from streams.archiver.content import Content
from streams.archiver.notes import Note
from streams.intake.batches import Raw


class Stretch:
    """Collects what comes after the last inserted position of one topic partition.

    Args:
        topic: Journal, lessons or scorecards.
        partition: Its partition.
        start: First offset that is not known to be inserted.
        note: Noted there; an open range is cut exactly as it was.
    """

    def __init__(self, topic: str, partition: int, start: int, note: Note) -> None:
        self.topic = topic
        self.partition = partition
        self.start = start
        self.end = start
        self.rows = Rows()
        self.oldest_ms: int | None = None
        """Publishing time of the first record that is not inserted yet, ``None`` without one."""
        self._reading = note.reading
        self._reading_at_start = note.reading
        self._open = note if note.open_end is not None else None
        self._content = Content(note.digest if self._open is not None else "")
        self._later: list[Raw] = []
        self._since_s = 0.0

    def add(self, raws: Sequence[Raw]) -> None:
        """Take in the next records."""
        if self._open is not None:
            end = self._open.open_end or 0  # what stands there is behind the range to be repeated
            self._later += [raw for raw in raws if raw.offset >= end]
            raws = [raw for raw in raws if raw.offset < end]
        if not raws:
            return
        if not self._since_s:
            self._since_s = time.monotonic()
            self.oldest_ms = raws[0].published_ms
        values = [raw.value or b"" for raw in raws]
        self._content.add(values)
        if self.topic == JOURNAL.name:
            self._add_journal(raws, values)
            return
        add = self.rows.add_lesson if self.topic == LESSONS.name else self.rows.add_quality
        for raw, value in zip(raws, values, strict=True):
            add(
                decode_json(value),
                partition=self.partition,
                offset=raw.offset,
                appended_ms=raw.published_ms,
            )

    def _add_journal(self, raws: Sequence[Raw], values: Sequence[bytes]) -> None:
        for raw, value in zip(raws, values, strict=True):
            content = decode_json(value)
            reading = self._reading.accept(content)
            if reading is None:
                continue
            self._reading = reading
            self.rows.add_journal(
                content,
                partition=self.partition,
                offset=raw.offset,
                appended_ms=raw.published_ms,
            )

    def read_up_to(self, end: int) -> None:
        """Say that everything below ``end`` has been added."""
        self.end = end

    def due(self, now_s: float, rows: int, interval_s: float) -> bool:
        """Tell whether the stretch is to be inserted now."""
        if self._open is not None:
            return self.end >= (self._open.open_end or 0)
        if self.end == self.start:
            return False
        return self.rows.row_count >= rows or now_s - self._since_s >= interval_s

    @property
    def held_count(self) -> int:
        """Rows, and records that wait behind an open range: what it keeps in memory."""
        return self.rows.row_count + len(self._later)

    @property
    def is_reopened(self) -> bool:
        """Whether its range was noted before a restart: it may have been inserted already."""
        return self._open is not None

    def range(self) -> Range:
        """Name the range with its content; the deduplication tokens are made from it.

        Raises:
            IncompatibleError: the log does not hold what was noted.
        """
        end = self.end if self._open is None else (self._open.open_end or 0)
        digest = self._content.digest()
        if self._open is not None and digest != self._open.digest:
            raise IncompatibleError(
                f"{self.topic}/{self.partition} [{self.start}, {end}) is not what was noted "
                "before the restart: the log has changed"
            )
        return Range(self.topic, self.partition, self.start, end, digest)

    def open_note(self) -> tuple[int, Note]:
        """Give what to commit before the insert."""
        here = self.range()
        return self.start, Note(self._reading_at_start, here.end, self.rows.row_count, here.digest)

    def done_note(self) -> tuple[int, Note]:
        """Give what to commit after the insert."""
        return self.range().end, Note(self._reading)

    def successor(self) -> "Stretch":
        """Give the stretch behind this one, which takes in no more."""
        end = self.range().end
        after = Stretch(self.topic, self.partition, end, Note(self._reading))
        after.add(self._later)
        after.end = max(self.end, end)
        return after
