"""A glance at a record finds what parsing would find, or nothing."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.codec import decode_json, encode
from streams.publisher.glance import glance

TRAPS = st.sampled_from([
    ',"effects":[],"decided_ms":7}', '"effects":[]', '{"v":1,"kind":"tick","epoch":1,"number":2,',
    "\\", '"', ',"', "}",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | TRAPS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | TRAPS | st.just("effects"), inner, max_size=3)
    ),
    max_leaves=8,
)
HEAD = ("v", "kind", "epoch", "number", "writer")


def record(**more: Any) -> dict[str, Any]:
    head = {"v": 1, "kind": "transaction", "epoch": 3, "number": 7, "writer": "w1"}
    return {**head, "event": {}, "effects": [], "decided_ms": 1_772_409_600_000, **more}


def test_record_without_effects_is_not_parsed() -> None:
    found = glance(encode(record(writer="Zoë")))
    assert found == {"kind": "transaction", "epoch": 3, "number": 7, "writer": "Zoë"}


@pytest.mark.parametrize(
    "content",
    [
        record(effects=[{"topic": "t", "key": None, "value": {"effects": []}}]),
        record(writer='"'),
        record(decided_ms="7"),
        {"v": 1, "kind": "claim", "epoch": 1, "writer": "w", "at_ms": 0},
        {"kind": "transaction", "effects": [], "decided_ms": 1},
        {**record(), "last": 1},
    ],
)  # fmt: skip
def test_anything_else_is_parsed(content: dict[str, Any]) -> None:
    assert glance(encode(content)) is None


@given(
    st.dictionaries(st.sampled_from(["event", "source", "error"]) | st.text(max_size=5), VALUES),
    st.fixed_dictionaries({}, optional={"effects": VALUES, "decided_ms": VALUES}),
    st.fixed_dictionaries({}, optional=dict.fromkeys(HEAD, VALUES)),
    st.text(max_size=5) | TRAPS,
)
@example({"event": {"a": {"effects": [], "decided_ms": 1}}}, {}, {}, "w")
@example({}, {"effects": [{"effects": [], "decided_ms": 1}], "decided_ms": 2}, {}, "w")
def test_glance_agrees_with_the_parser(
    more: dict[str, Any], last: dict[str, Any], head: dict[str, Any], writer: str
) -> None:
    first = {"v": 1, "kind": "ticket", "epoch": 3, "number": 7, "writer": writer, **head}
    raw = encode({**first, **more, **last})
    found, parsed = glance(raw), decode_json(raw)
    if found is not None:
        assert found == {name: parsed[name] for name in found}
        assert set(found) == {"kind", "epoch", "number", "writer"}
        assert parsed["effects"] == []
    for trap in (raw, encode([raw.decode()]), encode({"v": 1, "kind": raw.decode()})):
        seen = glance(trap)
        assert seen is None or decode_json(trap)["effects"] == []
