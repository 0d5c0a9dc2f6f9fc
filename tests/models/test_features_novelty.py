from typing import Any

import pytest
from memory_desk import Desk

HOURS = 60.0


def features(desk: Desk, minutes: float, **fields: Any) -> dict[str, float]:
    found: dict[str, float] = desk.transaction(minutes, **fields)["features"]
    return found


@pytest.mark.parametrize(
    ("field", "feature"), [("device_id", "new_device"), ("country", "new_country")]
)
def test_second_name_is_new_for_a_day_and_the_first_never(field: str, feature: str) -> None:
    desk = Desk()
    assert feature not in features(desk, 0, **{field: "AA"})
    assert features(desk, 1, **{field: "AA"})[feature] == 0.0
    assert features(desk, 2, **{field: "BB"})[feature] == 1.0
    assert features(desk, 3, **{field: "AA"})[feature] == 0.0
    assert features(desk, 23 * HOURS, **{field: "BB"})[feature] == 1.0
    assert features(desk, 25 * HOURS, **{field: "BB"})[feature] == 0.0


def test_novelty_is_left_out_where_nothing_is_known() -> None:
    desk = Desk()
    known = features(desk, 0, device_id="d", merchant_id="m", country="DE")
    assert not {"new_device", "new_country", "new_merchant"} & set(known)
    assert "new_device" not in features(desk, 1)


@pytest.mark.parametrize(("code", "flag"), [("14", 1.0), ("43", 1.0), ("51", 0.0), ("91", 0.0)])
def test_suspect_code_tells_theft_from_an_empty_account(code: str, flag: float) -> None:
    found = features(Desk(), 0, outcome="declined", response_code=code)
    assert (found["declined"], found["suspect_code"]) == (1.0, flag)
