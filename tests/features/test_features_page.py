from collections import Counter

import pytest

from models.features.catalogue import UNITS
from tests.features.document import PAGE, SECTIONS, page


def test_page_says_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "write it anew: python -m tests.features --markdown"
    )


@pytest.mark.parametrize("title", SECTIONS)
def test_catalogue_names_each_feature_once_and_says_what_it_is(title: str) -> None:
    features = SECTIONS[title]
    names = Counter(feature.name for feature in features)
    assert [name for name, count in names.items() if count > 1] == []
    for feature in features:
        assert feature.unit in UNITS, feature.name
        assert feature.meaning, feature.name
        assert "|" not in feature.meaning, feature.name


def test_no_unit_stands_in_the_catalogue_for_nothing() -> None:
    used = {feature.unit for features in SECTIONS.values() for feature in features}
    assert set(UNITS) == used
