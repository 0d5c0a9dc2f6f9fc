"""CPU a transaction against the size of the policy.

What a policy can have more of: signals of the scorecard (one for each feature it names), bands of
impact, ages at which a ticket is assessed anew, currencies. Everything else is a fixed set of
numbers. Only the signals are gone through for every transaction.
"""

import copy
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.features.catalogue import TRANSACTION_FEATURES
from models.policy import POLICY_V1, Policy
from schemas.codec import encode
from schemas.registry import TRANSACTIONS
from streams.bench.growth.history import SLICE_RECORDS, History, own, slice_of
from streams.bench.measuring import Spread
from streams.desk.store import PartitionStore

COUNTS = (8, 30, 100, 1_000, 10_000)
ROUNDS = 9
CUSTOMERS = 300
PAST_EVENTS = 1_200


def measure_rules(
    directory: Path,
    counts: Sequence[int] = COUNTS,
    *,
    rounds: int = ROUNDS,
    slice_records: int = SLICE_RECORDS,
) -> dict[str, Any]:
    """Decide the same transactions under policies with more and more signals, in turns.

    Args:
        directory: For the state; emptied afterwards.
        counts: Numbers of signals, at least those of the first policy.
        rounds: Each decides the slice once under each policy and throws it away.
        slice_records: Transactions in the slice.
    """
    history = History(directory, customers=CUSTOMERS, past=PAST_EVENTS, coming=slice_records * 3)
    records = [raw for raw in history.coming if raw.topic == TRANSACTIONS.name][:slice_records]
    store = PartitionStore(directory)
    partition = own(store, history.learners)
    policies = {count: with_signals(count) for count in counts}
    runs: dict[int, list[float]] = {count: [] for count in counts}
    for number in range(rounds + 1):  # the first one warms up
        for count in counts:
            partition.policy = policies[count]
            part = slice_of(records, partition, history.now_ms)
            began_s = time.thread_time()
            decided = partition.decide(part, lambda: history.now_ms, None)
            taken_s = time.thread_time() - began_s
            assert len(decided.entries) == len(records)
            partition.discard()
            if number:
                runs[count].append(taken_s / len(records) * 1e6)
    store.close()
    shutil.rmtree(directory, ignore_errors=True)
    least = runs[counts[0]]
    return {
        "by_signals": [
            {
                "signals": count,
                "cpu_us": Spread.over(runs[count]).as_json(1),
                "ratio": Spread.over(
                    run / first for run, first in zip(runs[count], least, strict=True)
                ).as_json(3),
                "policy_bytes": len(encode(dict(policies[count].content))),
            }
            for count in counts
        ]
    }


def with_signals(count: int) -> Policy:
    """Give the first policy with so many signals: first on all features, then on absent ones."""
    content = copy.deepcopy(POLICY_V1)
    signals: dict[str, Any] = content["alerts"]["scorecard"]["signals"]
    names = [feature.name for feature in TRANSACTION_FEATURES]
    names += [f"absent_{number}" for number in range(count)]
    for name in names:
        if len(signals) >= count:
            break
        signals.setdefault(name, {"weight": 0.001, "beyond": 0, "at_most": 1})
    content["version"] = 2
    return Policy.from_content(content)
