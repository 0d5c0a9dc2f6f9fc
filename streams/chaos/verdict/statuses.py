"""What running desks say of their partitions, against the fold of the journal."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.chaos.verdict.journal import JournalWalk, Revisions
from streams.chaos.verdict.verdict import Findings

WHERE = "status"


class StatusCheck:
    """Compares each status with the fold at the journal position that it names.

    Args:
        statuses: ``/status`` of each running desk; nothing is checked without any.
        findings: Where faults go.
    """

    def __init__(self, statuses: Sequence[Mapping[str, Any]], findings: Findings) -> None:
        self._waiting: dict[int, list[tuple[str, Mapping[str, Any]]]] = {}
        self._findings = findings
        self._any = bool(statuses)
        for status in statuses:
            for number, partition in status["partitions"].items():
                self._waiting.setdefault(int(number), []).append((status["worker"], partition))

    def owners(self, partition_count: int) -> None:
        """Every partition must have one owner."""
        if not self._any:
            return
        for number in range(partition_count):
            owners = [worker for worker, _ in self._waiting.get(number, ())]
            if not owners:
                self._findings.add("lost", WHERE, f"partition {number} has no owner")
            for worker in owners[1:]:
                self._findings.add(
                    "duplicated", WHERE, f"{worker} owns partition {number} beside {owners[0]}"
                )

    def reached(self, partition: int, offset: int | None, walk: JournalWalk) -> None:
        """Compare what was said at or before a journal offset (``None``: the journal's end)."""
        waiting = self._waiting.get(partition, [])
        for each in list(waiting):
            if offset is None or each[1]["journal_next"] <= offset:
                waiting.remove(each)
                self._compare(partition, *each, walk)

    def _compare(
        self, partition: int, worker: str, said: Mapping[str, Any], walk: JournalWalk
    ) -> None:
        position = walk.position
        is_so = {
            "epoch": position.reading.epoch,
            "number": position.reading.number,
            "journal_next": position.journal_next,
            "sources": position.sources,
            "tick_ms": position.tick_ms,
            "policy": walk.policy or said["policy"],
        }
        self._findings.compared[WHERE] += 1
        differing = [
            f"{name} {said[name]} ≠ {value}" for name, value in is_so.items() if said[name] != value
        ]
        if differing:
            self._findings.add(
                "differing", WHERE, f"partition {partition} of {worker}: {', '.join(differing)}"
            )


def named_revisions(
    statuses: Sequence[Mapping[str, Any]], revisions: Revisions, findings: Findings
) -> None:
    """Add the learners that desks have to those that the journal names."""
    for status in statuses:
        revision, digest = status["revision"], status["digest"]
        if revisions.setdefault(revision, digest) != digest:
            findings.add(
                "differing", WHERE, f"learners of {status['worker']} differ at revision {revision}"
            )
