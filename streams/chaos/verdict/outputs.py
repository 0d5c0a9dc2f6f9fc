"""The topics that people and learners read, against the effects of the accepted journal."""

from collections.abc import Callable, Mapping

from models.learning import GENESIS
from schemas.codec import chain, decode_json
from schemas.errors import MalformedError
from schemas.registry import LESSONS
from streams.chaos.published import content_digest
from streams.chaos.verdict.journal import EFFECT_BITS, PLACES, Revisions, effect_number
from streams.chaos.verdict.logs import Logs, Stood
from streams.chaos.verdict.shelf import Shelf
from streams.chaos.verdict.verdict import Findings
from streams.partitioning import partition_for

Effects = Mapping[int, Shelf]
"""What one topic must hold, by journal partition."""


def compare_topic(
    logs: Logs,
    topic: str,
    partition_count: int,
    effects: Effects,
    findings: Findings,
    each: Callable[[Stood], None] = lambda stood: None,
) -> None:
    """Compare an output topic by id, bytes, key, partition and order.

    Args:
        logs: Where it is read, committed records only.
        topic: Its name.
        partition_count: Of the topic.
        effects: What must be there; every taker is counted.
        findings: Where faults go.
        each: Takes every record, in order.
    """
    where = PLACES[topic]
    for partition in range(partition_count):
        last: dict[int, int] = {}
        for stood in logs.read(topic, partition):
            each(stood)
            findings.compared[where] += 1
            name, found = _identify(stood)
            at = f"{name} at {partition}@{stood.offset}"
            shelf = effects.get(found[0]) if found else None
            index = shelf.find(found[1]) if found and shelf is not None else None
            if found is None or shelf is None or index is None:
                findings.add("duplicated", where, f"{at} follows from no accepted record")
                continue
            if shelf.take(index) > 1:
                findings.add("duplicated", where, f"{at} is there once more")
                continue
            if shelf.fields(index)[0] != content_digest(stood.key, stood.value):
                findings.add("differing", where, f"{at}: key or value is not the journal's")
            if stood.key and partition_for(stood.key, partition_count) != partition:
                findings.add("differing", where, f"{at}: its key belongs to another partition")
            if found[1] < last.get(found[0], 0):
                findings.add("differing", where, f"{at} stands behind a later one")
            last[found[0]] = max(found[1], last.get(found[0], 0))
    for partition, shelf in effects.items():
        for number in shelf.untaken():
            name = f"{partition}/{number >> EFFECT_BITS}/{number & (1 << EFFECT_BITS) - 1}"
            findings.add("lost", where, f"{name} is not on {topic}")


def _identify(stood: Stood) -> tuple[str, tuple[int, int] | None]:
    """Give the id as it is written, and as journal partition and effect number."""
    try:
        name = str(decode_json(stood.value or b"")["id"])
        partition, number, index = (int(part) for part in name.split("/"))
    except (MalformedError, KeyError, TypeError, ValueError):
        return "a record without an id", None
    if min(partition, number, index) < 0 or number >= 1 << 40 or index >= 1 << EFFECT_BITS:
        return name, None
    return name, (partition, effect_number(number, index))


class LessonChain:
    """Compares the revisions that journal and desks name with the lessons on the log.

    Args:
        revisions: Digest by revision; confirmed ones are taken out.
        findings: Where faults go.
    """

    def __init__(self, revisions: Revisions, findings: Findings) -> None:
        self._revisions = revisions
        self._findings = findings
        self._digest = GENESIS
        self._confirm(0)

    def add(self, stood: Stood) -> None:
        """Take the next lesson."""
        self._digest = chain(self._digest, stood.value or b"")
        self._confirm(stood.offset + 1)

    def finish(self) -> None:
        """Every revision that is left is one that the lessons never had."""
        for revision in self._revisions:
            self._findings.add(
                "differing", "journal", f"revision {revision} is no position in {LESSONS.name}"
            )

    def _confirm(self, revision: int) -> None:
        digest = self._revisions.pop(revision, None)
        if digest is None:
            return
        self._findings.compared["revisions"] += 1
        if digest != self._digest:
            self._findings.add(
                "differing", "journal", f"learners at revision {revision} are not the lessons' fold"
            )
