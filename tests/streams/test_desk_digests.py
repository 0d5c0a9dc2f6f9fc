"""Digests over a broker: published, read back, compared; a departed worker leaves its mark."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded_log import contents, kafka_settings

from models.learning import Learners
from schemas.codec import encode
from schemas.errors import IncompatibleError
from schemas.registry import DIGESTS
from streams.desk.checkpoints import Checkpoints
from streams.desk.digests import Digests
from streams.desk.lessons import LessonFeed
from streams.embedded.broker import EmbeddedBroker
from streams.settings import KafkaSettings, TopicSettings
from streams.topics import create_topics

pytestmark = pytest.mark.embedded

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as broker:
        made = kafka_settings(broker.bootstrap)
        create_topics(made, TopicSettings(partitions=1))
        yield made


@pytest.fixture
def start(
    kafka: KafkaSettings, tmp_path: Path
) -> Iterator[Callable[[str, bool, Learners], Digests]]:
    """Starts a worker and waits until it has compared; a worker's mark outlives its starts."""
    started: list[Digests] = []
    Lessons.begin += 1_000  # revisions of its own for each test

    def begin(worker: str, rebuilt: bool, learners: Learners) -> Digests:
        digests = Digests(kafka, worker, 100, lambda: 0, tmp_path / worker / "departed")
        started.append(digests)
        digests.open(lambda: None, rebuilt)
        digests.settle(learners, PATIENCE_S)
        assert digests.failure is None
        return digests

    yield begin
    for digests in started:
        digests._stopping.set()
    for digests in started:
        digests._thread.join()


class Lessons:
    """Where the lessons of the running test begin."""

    begin = 0


def learned(altered: bool = False, lesson_count: int = 3) -> Learners:
    learners = Learners()
    for offset in range(lesson_count):
        learners.fold(encode({"no": offset}), Lessons.begin + offset)
    if altered:  # the same lessons, another content
        learners.category.learn_one("where is my card", "card_arrival")
    return learners


def until(there: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if there():
            return
        tick.wait(0.02)
    raise AssertionError("it does not come")


Start = Callable[[str, bool, Learners], Digests]


def test_equal_learners_agree_and_say_with_whom(start: Start, kafka: KafkaSettings) -> None:
    first, second = start("a", True, learned()), start("b", False, learned())
    until(lambda: first.compared is not None)
    assert first.departure is second.departure is None
    content = learned().content_digest()
    revision = Lessons.begin + 3
    said = {"verdict": "agreed", "revision": revision, "content": content}
    assert (first.status(), second.status()) == (said | {"with": "b"}, said | {"with": "a"})
    published = [each for each in contents(kafka, DIGESTS.name) if each["revision"] == revision]
    assert [each["content"] for each in published] == [content, content]


def test_departed_worker_says_so_and_is_marked_until_it_is_rebuilt(
    start: Start, tmp_path: Path
) -> None:
    right, wrong = start("a", True, learned()), start("b", False, learned(altered=True))
    until(lambda: right.compared is not None)
    assert right.departure is None
    assert right.compared is not None
    assert right.compared.kind == "contradicted"
    message = str(wrong.departure)
    for told in (
        f"of b depart at revision {Lessons.begin + 3}",
        learned().content_digest(),
        learned(altered=True).content_digest(),
        "a has",
        "rebuilt from the lessons at the next start",
    ):
        assert told in message
    assert wrong.must_rebuild
    assert not right.must_rebuild
    assert (tmp_path / "b" / "departed").read_text() == str(Lessons.begin + 3)
    early = start("b", True, learned(lesson_count=2))
    assert early.must_rebuild  # not yet where it departed
    rebuilt = start("b", True, learned())
    until(lambda: not rebuilt.must_rebuild)
    assert rebuilt.departure is None


def test_rebuilt_worker_stops_the_wrong_first_one(start: Start) -> None:
    wrong = start("a", False, learned(altered=True))
    assert start("b", False, learned()).departure is not None
    rebuilt = start("b", True, learned())
    until(lambda: wrong.departure is not None)
    assert rebuilt.departure is None
    assert wrong.must_rebuild


def test_worker_alone_departs_from_what_it_published_before(start: Start) -> None:
    start("a", True, learned())
    assert start("a", False, learned()).departure is None
    assert start("a", False, learned(altered=True)).departure is not None


def test_two_rebuilt_ones_that_differ_both_stop_for_a_person(start: Start) -> None:
    first, second = start("a", True, learned()), start("b", True, learned(altered=True))
    until(lambda: first.departure is not None)
    for each in (first, second):
        assert "a person must find out why" in str(each.departure)


def test_decisions_need_no_topic_of_digests(tmp_path: Path) -> None:
    digests = Digests(
        KafkaSettings(bootstrap="127.0.0.1:1"), "a", 100, lambda: 0, tmp_path / "departed"
    )
    digests.open(lambda: None, False)
    digests.settle(learned(), 0.1)
    assert (digests.departure, digests.failure, digests.status()) == (None, None, None)
    digests._stopping.set()


def test_learners_rest_only_while_they_are_digested(kafka: KafkaSettings, tmp_path: Path) -> None:
    held, woken = threading.Event(), threading.Event()

    class Slow(Learners):
        def content_digest(self) -> str:
            held.wait(PATIENCE_S)
            return super().content_digest()

    learners = Slow()
    learners.fold(encode({}), 6)
    digests = Digests(kafka, "a", 100, lambda: 0, tmp_path / "departed")
    digests.open(woken.set, True)
    assert digests.begin(learners)
    assert digests.resting
    assert not woken.is_set()
    held.set()
    assert woken.wait(PATIENCE_S)
    until(lambda: not digests.resting)
    assert not digests.begin(learners)  # once a revision
    digests.close(learners)
    revisions = [record["revision"] for record in contents(kafka, DIGESTS.name)]
    assert revisions.count(7) == 1


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [(0, 1, False), (99, 100, True), (98, 105, True), (100, 101, False), (105, 199, False)],
)
def test_digest_is_due_beyond_each_multiple(
    tmp_path: Path, before: int, after: int, due: bool
) -> None:
    digests = Digests(KafkaSettings(), "a", 100, lambda: 0, tmp_path / "departed")
    assert digests.passes(before, after) is due


class Pausing(Digests):
    """Computes nothing; the test says when the learners may learn on."""

    def __init__(self, mark: Path) -> None:
        super().__init__(KafkaSettings(bootstrap="127.0.0.1:1"), "a", 100, lambda: 0, mark)
        self.begun: list[int] = []
        self.held = False

    @property
    def resting(self) -> bool:
        return self.held

    def begin(self, learners: Learners) -> bool:
        if learners.revision in self.begun:
            return False
        self.begun.append(learners.revision)
        self.held = True
        return True


def fed(tmp_path: Path, lesson_count: int) -> tuple[LessonFeed, Pausing, Checkpoints]:
    digests = Pausing(tmp_path / "departed")
    checkpoints = Checkpoints(tmp_path / "learners", None, 3, "a")
    feed = LessonFeed(KafkaSettings(bootstrap="127.0.0.1:1"), checkpoints, 1_000_000, digests)
    for number in range(lesson_count):
        feed._waiting.put((number * 3, encode({"no": number})))  # offsets have holes
    return feed, digests, checkpoints


async def test_lessons_stop_at_each_due_revision_however_they_are_folded(tmp_path: Path) -> None:
    for limit in (7, 1_000):
        feed, digests, _ = fed(tmp_path, 100)
        while feed.apply(limit) or digests.held:
            at = feed.learners.revision
            if digests.held:
                assert feed.apply(limit) == 0
                assert feed.learners.revision == at == digests.begun[-1]
                digests.held = False
        assert digests.begun == [100, 202]
        assert feed.learners.revision == 298


async def test_departed_desk_folds_nothing_and_discards_its_checkpoints(tmp_path: Path) -> None:
    feed, digests, checkpoints = fed(tmp_path, 5)
    checkpoints.save(learned())
    digests.departure = IncompatibleError("departed")
    with pytest.raises(IncompatibleError, match="departed"):
        feed.apply(5)
    assert feed.learners.revision == 0
    assert checkpoints.newest(lambda revision, digest: True) is None
    feed.learners.revision = 9
    await feed.close()
    assert checkpoints.newest(lambda revision, digest: True) is None


@pytest.mark.parametrize("departed", [False, True])
async def test_departed_worker_passes_checkpoints_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, departed: bool
) -> None:
    feed, digests, _ = fed(tmp_path, 0)
    saved = learned()
    monkeypatch.setattr(feed, "_load", lambda: saved)
    if departed:
        (tmp_path / "departed").write_text("1")
    await feed.restore()
    assert digests.must_rebuild is departed
    assert (feed.learners is saved) is not departed
