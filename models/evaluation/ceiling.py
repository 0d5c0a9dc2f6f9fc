"""What a learner that sees all labels at once, as often as it wants, reaches: scikit-learn's.

A development extra (``pip install 'riverdesk[dev]'``); nothing but this module knows it.
"""

import re
from collections.abc import Sequence
from typing import Any

from models.evaluation.examples import TicketExample
from schemas.errors import MisconfiguredError

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


def ticket_ceiling(
    stream: Sequence[TicketExample], test: Sequence[TicketExample]
) -> dict[str, Any]:
    """Give the test accuracy of logistic regression on TF-IDF, fitted to the whole stream.

    Words one and two in a row with the characters inside them two to five in a row; one to three
    characters in a row where more than half of the texts have Chinese, Japanese or Korean ones.

    Raises:
        MisconfiguredError: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union
    except ImportError:
        raise MisconfiguredError(
            "--ceiling needs scikit-learn: pip install 'riverdesk[dev]'"
        ) from None
    what = "logistic regression C=20 on TF-IDF, all labels at once"
    if not test:
        return {"test_accuracy": None, "what": f"{what}: no test part to compare on"}
    if 2 * sum(_CJK.search(row.text) is not None for row in stream) > len(stream):
        features = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    else:
        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        )
    batch = make_pipeline(features, LogisticRegression(C=20, max_iter=200))
    batch.fit([row.text for row in stream], [row.label for row in stream])
    found = batch.score([row.text for row in test], [row.label for row in test])
    return {"test_accuracy": float(found), "what": what}
