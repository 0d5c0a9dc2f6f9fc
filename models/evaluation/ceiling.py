"""What a learner that sees all labels at once, as often as it wants, reaches: scikit-learn's.

A development extra (``pip install 'riverdesk[dev]'``); nothing but this module knows it.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from models.evaluation.examples import TicketExample
from models.evaluation.transactions import TransactionRun
from models.metrics import average_precision
from schemas.errors import MisconfiguredError

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


def require() -> None:
    """Make sure that scikit-learn is there, before an hour is spent on the rest.

    Raises:
        MisconfiguredError: it is not.
    """
    try:
        import sklearn  # noqa: F401  # only whether it is there
    except ImportError:
        raise MisconfiguredError(
            "--ceiling needs scikit-learn, which is not installed: pip install 'riverdesk[dev]'"
        ) from None


def ticket_ceiling(
    stream: Sequence[TicketExample], test: Sequence[TicketExample]
) -> dict[str, Any]:
    """Give the test accuracy of logistic regression on TF-IDF, fitted to the whole stream.

    Words one and two in a row with the characters inside them two to five in a row; one to three
    characters in a row where more than half of the texts have Chinese, Japanese or Korean ones.

    Raises:
        MisconfiguredError: scikit-learn is not installed.
    """
    require()
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

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


def transaction_ceiling(run: TransactionRun) -> dict[str, Any]:
    """Give the test figures of boosted trees, fitted to the whole week of training at once.

    The features are the same; all labels of the week are known, however late they came.

    Raises:
        MisconfiguredError: scikit-learn is not installed.
    """
    require()
    from sklearn.ensemble import HistGradientBoostingClassifier

    what = "gradient boosting (200 trees, rate 0.05) on the week of training, the same features"
    train, test = run.train_table, run.test_table
    if len(np.unique(train.labels)) < 2 or not test.labels.any():
        return {"average_precision_book": None, "average_precision_all": None, "what": what}
    trees = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.05, random_state=0)
    values = train.values
    spread = np.nanmin(values, axis=0, initial=np.inf) < np.nanmax(values, axis=0, initial=-np.inf)
    trees.fit(values[:, spread], train.labels)
    scores = trees.predict_proba(test.values[:, spread])[:, 1]
    fresh = run.test.fresh
    found = average_precision(test.labels[fresh], scores[fresh])
    return {
        "average_precision_book": None if np.isnan(found) else found,
        "average_precision_all": average_precision(test.labels, scores),
        "train_rows": len(train),
        "what": what,
    }
