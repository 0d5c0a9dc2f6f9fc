import pytest

from schemas.errors import IncompatibleError, MalformedError, RejectedError, UnavailableError
from streams.desk.guard import DeadLetterLimit, Refusal, attempt


def raising(fault: Exception) -> object:
    raise fault


def test_attempt_gives_what_the_work_gives() -> None:
    assert attempt(lambda: "decode", lambda: 5) == 5


@pytest.mark.parametrize("fault", [MalformedError("m"), RejectedError("m"), KeyError("m")])
def test_attempt_refuses_a_record_that_cannot_be_decided(fault: Exception) -> None:
    refusal = attempt(lambda: "decide", lambda: raising(fault))
    assert isinstance(refusal, Refusal)
    assert (refusal.stage, refusal.error) == ("decide", type(fault).__name__)


@pytest.mark.parametrize("fault", [UnavailableError("m"), IncompatibleError("m")])
def test_attempt_never_blames_a_record_for_a_neighbour(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        attempt(lambda: "decide", lambda: raising(fault))


def test_limit_stops_after_a_run_of_refusals() -> None:
    limit = DeadLetterLimit(run=3, window=100, share=0.5)
    for _ in range(3):
        limit.note(True)
    with pytest.raises(IncompatibleError):
        limit.note(True)


def test_limit_forgets_a_run_at_the_first_good_record() -> None:
    limit = DeadLetterLimit(run=3, window=1_000, share=0.9)
    for _ in range(50):
        for refused in (True, True, True, False):
            limit.note(refused)


def test_limit_stops_at_a_share_of_the_window() -> None:
    limit = DeadLetterLimit(run=100, window=10, share=0.5)
    for refused in [True, False] * 5:
        limit.note(refused)
    limit.note(True)  # pushes out a refusal: still half
    with pytest.raises(IncompatibleError):
        limit.note(True)
