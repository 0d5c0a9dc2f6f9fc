"""Dead letters against the ``dead`` entries of the accepted journal, by the source's position."""

from schemas.registry import INPUTS, dead_topic
from streams.chaos.published import content_digest
from streams.chaos.verdict.inputs import Inputs, refusal_digest
from streams.chaos.verdict.journal import JournalWalk
from streams.chaos.verdict.logs import Logs, Stood
from streams.chaos.verdict.verdict import Findings

WHERE = "dead_letters"
Place = tuple[str, int]
"""Topic and offset of a source."""


def compare_letters(
    logs: Logs, partition: int, inputs: Inputs, walk: JournalWalk, findings: Findings
) -> None:
    """Compare the dead letters of one partition number: there, the same bytes, the same reason.

    A letter may repeat (it is written before its entry): repeats are counted apart.
    """
    found: set[Place] = set()
    for topic in INPUTS:
        name = dead_topic(topic.name)
        for stood in logs.read(name, partition):
            findings.compared[WHERE] += 1
            source = _source(stood, partition)
            at = f"{name}/{partition}/{stood.offset}"
            if source is None or source[0] != topic.name or source not in walk.dead:
                findings.add("duplicated", WHERE, f"{at} is a letter without a dead entry")
                continue
            _compare(stood, at, source, inputs, walk, findings)
            if source in found:
                findings.add("repeated", WHERE, f"{at} repeats the letter of {source[1]}")
            found.add(source)
    for topic_name, offset in walk.dead:
        if (topic_name, offset) not in found:
            findings.add("lost", WHERE, f"{topic_name}/{partition}/{offset} has no letter")


def _compare(
    stood: Stood, at: str, source: Place, inputs: Inputs, walk: JournalWalk, findings: Findings
) -> None:
    index = inputs.shelves[source[0]].find(source[1])
    if index is None:
        return  # the journal answers what is not on the log: said there
    if inputs.expected(source[0], index).content != content_digest(stood.key, stood.value):
        findings.add("differing", WHERE, f"{at}: key or value is not the input's")
    stage, error, message = (
        stood.headers.get(f"riverdesk_{part}", b"").decode(errors="replace")
        for part in ("stage", "error", "message")
    )
    if refusal_digest(stage, error, message, 0) != walk.dead[source]:
        findings.add("differing", WHERE, f"{at}: its reason is not that of the entry")


def _source(stood: Stood, partition: int) -> Place | None:
    headers = stood.headers
    try:
        place = headers["riverdesk_topic"].decode(), int(headers["riverdesk_offset"])
        there = int(headers["riverdesk_partition"]) == partition
    except (KeyError, ValueError):
        return None
    return place if there else None
