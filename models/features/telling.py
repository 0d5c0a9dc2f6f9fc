"""The features that the forest looks at.

A leaf draws a few features for its next split: those that seldom say anything waste draws, and
each one costs time in each lesson.
"""

TELLING = (
    "amount",
    "amount_ratio",
    "amount_z",
    "usual_amount",
    "usual_amount_ratio",
    "count_1h",
    "small_1h",
    "declined_1h",
    "suspect_code",
    "new_device",
    "count_1d",
    "large_14d",
    "customer_fraud_age_d",
    "customer_large_frauds",
    "terminal_label",
    "terminal_fraud_run",
    "terminal_fraud_share_7d",
    "terminal_fraud_share_30d",
    "terminal_last_fraud_age_d",
    "terminal_per_day",
    "terminal_run_age_d",
    "terminal_run_per_day",
    "terminal_run_ratio",
)
