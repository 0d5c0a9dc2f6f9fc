"""Draws memory over time: ``python docs/figures/away.py away.json docs/figures/away.svg``.

Needs matplotlib (``pip install 'riverdesk[docs]'``); the report comes from
``python -m tests.measurements.warehouse_away --json away.json``.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

COLORS = {"desk": "#1f6f8b", "publisher": "#8aa5b1", "archiver": "#d1802f"}


def main(report_path: str, picture_path: str) -> None:
    """Draw the roles' resident memory above what was decided and archived."""
    report = json.loads(Path(report_path).read_text())
    curve = report["curve"]
    minutes = [point["at_s"] / 60 for point in curve]
    away = [point["at_s"] / 60 for point in curve if point["away"]]
    mpl.rcParams.update({"svg.hashsalt": "riverdesk", "font.size": 9, "svg.fonttype": "none"})
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(8, 4.2), sharex=True, layout="constrained", height_ratios=[3, 2]
    )
    for role, color in COLORS.items():
        upper.plot(minutes, [point[role] for point in curve], color=color, label=role)
    upper.set(ylabel="resident memory, MB", ylim=(0, None))
    upper.legend(frameon=False, ncols=3, loc="lower right")
    lower.plot(
        minutes, [point["decided"] / 1000 for point in curve], color="#1f6f8b",
        label="inputs decided",
    )  # fmt: skip
    lower.plot(
        minutes, [point["archived"] / 1000 for point in curve], color="#d1802f",
        label="journal records archived",
    )  # fmt: skip
    lower.set(ylabel="thousands", xlabel="minutes", ylim=(0, None))
    lower.legend(frameon=False, loc="upper left")
    for axes in (upper, lower):
        axes.axvspan(away[0], away[-1], color="#eef2f4", zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    upper.set_title("ClickHouse is away in the shaded time", fontsize=9, loc="right")
    figure.savefig(picture_path, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
