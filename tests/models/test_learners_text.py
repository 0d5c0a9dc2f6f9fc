import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learners.text import MAX_CHARACTERS, hash_text, terms


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


@given(st.text(max_size=200))
def test_terms_cover_every_index_of_the_text(text: str) -> None:
    hashed = hash_text(text)
    parts = terms(hashed)
    words = {index for part in parts if part.in_words for index in part.indices}
    characters = {index for part in parts if not part.in_words for index in part.indices}
    assert words == set(hashed.indices[: hashed.word_count].tolist())
    assert characters == set(hashed.indices[hashed.word_count :].tolist())


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
    names = [term.name for term in terms(hash_text("我的card丢了"))]
    assert names == ["我", "的", "我的", "card", "card", "丢", "了", "丢了"]
    assert [term.name for term in terms(hash_text("退款慢"))][-1] == "退款慢"


def test_hash_text_stops_at_its_limit() -> None:
    text = "a" * MAX_CHARACTERS
    assert hash_text(text + " more").indices.tolist() == hash_text(text).indices.tolist()


def test_hash_text_keeps_its_values_between_versions() -> None:
    hashed = hash_text("lost card")
    assert hashed.indices[:3].tolist() == [102516, 35853, 121754]
