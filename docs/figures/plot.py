"""Draws a demo's report: ``python docs/figures/plot.py out.json docs/figures/real-data.svg``.

Needs matplotlib (``pip install 'riverdesk[docs]'``); the report comes from
``riverdesk demo … --json out.json``.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

GOOD, QUIET = "#1f6f8b", "#b9c6cc"


def main(report_path: str, picture_path: str) -> None:
    """Draw accuracy by day beside average precision by week."""
    report = json.loads(Path(report_path).read_text())
    tickets, payments = report["tickets"], report["transactions"]
    mpl.rcParams.update({"svg.hashsalt": "riverdesk", "font.size": 9, "svg.fonttype": "none"})
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(8, 2.8), width_ratios=[2, 1], layout="constrained"
    )
    days = list(tickets["by_day"])
    left.plot(range(1, len(days) + 1), tickets["by_day"].values(), marker="o", color=GOOD)
    left.axhline(tickets["majority_accuracy"], color=QUIET, linestyle="--")
    left.annotate(
        "always the commonest category", (1, tickets["majority_accuracy"] + 0.02), color="#60717a"
    )
    left.set(
        ylim=(0, 1), xlabel="day", title="tickets right, decided before the label was known",
        ylabel=f"share of {tickets['categories']} categories",
    )  # fmt: skip
    weeks = payments["by_week"]
    bars = right.bar(
        [name.replace("_", " ") for name in weeks], weeks.values(), color=[QUIET, GOOD], width=0.55
    )
    right.bar_label(bars, fmt="%.2f")
    right.set(title="average precision, all transactions", ylim=(0, max(weeks.values()) * 1.25))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(9)
    figure.savefig(picture_path, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
