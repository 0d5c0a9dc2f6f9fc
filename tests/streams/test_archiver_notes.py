"""From where the archiver reads on."""

from typing import Any

import pytest

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL, LESSONS, QUALITY_TOPIC
from streams.archiver.notes import Note, noted
from streams.journal.acceptance import Reading
from streams.kafka import KafkaException, TopicPartition


class Group:
    """A consumer whose group has committed what is given, on topics that begin at ``first``."""

    def __init__(self, first: int, **committed: tuple[int, Note]) -> None:
        self.first = first
        self.committed_by_topic = committed

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [
            TopicPartition(place.topic, place.partition, at[0], at[1].token())
            if (at := self.committed_by_topic.get(str(place.topic).split(".")[1]))
            else TopicPartition(place.topic, place.partition, -1001)
            for place in places
        ]

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        if self.first < 0:
            raise KafkaException("away")
        return self.first, 1_000


def starts(group: Any) -> dict[str, int]:
    return {topic: offset for (topic, _), (offset, _) in noted(group, [0]).items()}


def test_scorecards_begin_at_what_is_stored_and_everything_else_at_its_beginning() -> None:
    assert starts(Group(70)) == {JOURNAL.name: 0, LESSONS.name: 0, QUALITY_TOPIC.name: 70}


@pytest.mark.parametrize(("at", "begin"), [(30, 70), (90, 90)])
def test_scorecards_that_expired_meanwhile_are_skipped(at: int, begin: int) -> None:
    group = Group(70, quality=(at, Note(Reading())))
    assert starts(group)[QUALITY_TOPIC.name] == begin


def test_open_range_of_scorecards_is_cut_where_it_was_noted() -> None:
    note = Note(Reading(), 80, 5, "d")
    assert starts(Group(70, quality=(30, note)))[QUALITY_TOPIC.name] == 30


def test_beginning_that_nobody_tells_is_asked_for_again() -> None:
    with pytest.raises(UnavailableError):
        starts(Group(-1))
