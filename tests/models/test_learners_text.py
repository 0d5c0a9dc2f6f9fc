import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learners.text import MAX_CHARACTERS, HashedText, hash_text
from models.learners.text_parts import Effects, TextParts


def explain_terms(hashed: HashedText, effects: Effects) -> dict[str, float]:
    parts = TextParts(hashed)
    return dict(zip(parts.names, parts.add_up(effects).tolist(), strict=True))


@given(st.text(max_size=200), st.sampled_from([8, 15]))
def test_hash_text_is_well_formed_for_any_text(text: str, bits: int) -> None:
    hashed = hash_text(text, bits)
    assert hashed.indices.dtype == np.int32
    assert hashed.counts.dtype == np.float32
    assert ((hashed.indices >= 0) & (hashed.indices < 2**bits)).all()
    for block in (hashed.indices[: hashed.word_count], hashed.indices[hashed.word_count :]):
        assert len(set(block.tolist())) == len(block)
    values = hashed.values()
    if len(values):
        assert float(np.linalg.norm(values)) == pytest.approx(1.0, abs=1e-5)


@given(st.text(max_size=200), st.integers(0, 2**32 - 1))
def test_explained_terms_add_up_to_all_effects(text: str, seed: int) -> None:
    hashed = hash_text(text)
    effects = np.random.default_rng(seed).normal(size=len(hashed.indices))
    parts = explain_terms(hashed, effects)
    assert math.fsum(parts.values()) == pytest.approx(math.fsum(effects), abs=1e-9)


@given(st.text(alphabet="ab 卡在", max_size=60), st.integers(0, 2**32 - 1))
def test_parts_are_ranked_by_size_and_then_by_name(text: str, seed: int) -> None:
    parts = TextParts(hash_text(text))
    added = np.random.default_rng(seed).integers(-2, 3, len(parts.names)).astype(np.float64)
    given = dict(zip(parts.names, added.tolist(), strict=True))
    ranked = sorted(given.items(), key=lambda part: (-abs(part[1]), part[0]))
    assert parts.rank(added) == (ranked, 0.0)
    assert parts.rank(added, 3) == (ranked[:3], sum(effect for _, effect in ranked[3:]))


def test_explained_word_holds_the_characters_inside_it() -> None:
    hashed = hash_text("refund pin")
    word = hashed.indices.tolist().index(hash_text("refund").indices[0])
    inside = set(hash_text("refund").indices[1:].tolist())
    effects = np.array([float(index in inside) for index in hashed.indices.tolist()])
    effects[: hashed.word_count] = 0.0
    effects[word] = 10.0
    assert explain_terms(hashed, effects)["refund"] == pytest.approx(10.0 + len(inside))


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("Where is my card?", 0.5),
        ("卡在哪里", 0.0),
        ("60年铁树开花形状似玉米芯", 0.5 * 2 / 13),
        ("我的card丢了", 0.5 * 4 / 8),
    ],
)
def test_hash_text_words_weigh_by_their_share_of_the_text(text: str, weight: float) -> None:
    hashed = hash_text(text)
    words = hashed.values()[: hashed.word_count]
    assert float(np.linalg.norm(words)) ** 2 == pytest.approx(weight, abs=1e-5)


def test_hash_text_counts_on_a_logarithmic_scale() -> None:
    once, twice = hash_text("refund"), hash_text("refund refund")
    assert once.counts[0] == 1.0
    assert twice.counts[0] == pytest.approx(1.0 + np.log(2.0))


@pytest.mark.parametrize(
    ("one", "other"), [("REFUND", "refund"), ("ﬁne", "fine"), ("ｒｅｆｕｎｄ", "refund")]
)
def test_hash_text_ignores_case_and_compatibility_forms(one: str, other: str) -> None:
    assert hash_text(one).indices.tolist() == hash_text(other).indices.tolist()


def test_hash_text_reads_chinese_as_runs_of_one_to_three_characters() -> None:
    assert named("我的card丢了") == ["我", "的", "我的", "card", "丢", "了", "丢了"]
    assert named("退款慢")[-1] == "退款慢"
    assert named("my card") == ["my", "card", "my card"]


def named(text: str) -> list[str]:
    hashed = hash_text(text)
    return list(explain_terms(hashed, np.ones(len(hashed.indices))))


def test_hash_text_stops_at_its_limit() -> None:
    text = "a" * MAX_CHARACTERS
    assert hash_text(text + " more").indices.tolist() == hash_text(text).indices.tolist()


def test_hash_text_keeps_its_values_between_versions() -> None:
    hashed = hash_text("lost card")
    assert hashed.indices[:3].tolist() == [102516, 35853, 121086]


def test_hash_text_reads_plain_words_as_it_does_beside_others() -> None:
    plain = hash_text("lost_card 2 pin-code x" + "y" * 60)
    beside = hash_text("lost_card 2 pin-code x" + "y" * 60 + " é")
    assert beside.pieces == (*plain.pieces, "é")
    assert set(plain.indices.tolist()) <= set(beside.indices.tolist())
