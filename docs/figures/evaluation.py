"""Makes docs/evaluation.md from its measurements: ``python docs/figures/evaluation.py``.

Reads ``docs/figures/evaluation-*.json``, which ``riverdesk evaluate … --json`` wrote, fills the
tables of the page between its marks, and draws the pictures (needs matplotlib:
``pip install 'riverdesk[docs]'``; ``--tables`` leaves them).
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "evaluation.md"
GOOD, QUIET, OTHER, DARK = "#1f6f8b", "#b9c6cc", "#d1802f", "#60717a"
COLORS = {
    "riverdesk": GOOD, "river_multinomial_nb": OTHER, "river_logistic": "#8aa5b1",
    "majority": QUIET, "scorecard": QUIET, "frozen": OTHER,
}  # fmt: skip
NAMES = {
    "riverdesk": "Riverdesk", "river_multinomial_nb": "River, MultinomialNB",
    "river_logistic": "River, logistic regression", "majority": "the commonest class",
    "scorecard": "the scorecard alone", "frozen": "frozen on the first day of the drift",
}  # fmt: skip
NOTHING = "*Not measured yet.*"

Report = Mapping[str, Any]


def load(folder: Path = HERE) -> dict[str, Report]:
    """Give the measurements by name: what stands between ``evaluation-`` and ``.json``."""
    found = sorted(folder.glob("evaluation-*.json"))
    return {path.stem.removeprefix("evaluation-"): json.loads(path.read_text()) for path in found}


def fill(page: str, reports: Mapping[str, Report]) -> str:
    """Give the page with all its tables made anew; it says ``<!-- made: NAME -->`` where."""
    for name, make in TABLES.items():
        mark = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        made = make(reports) or NOTHING
        page = mark.sub(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", page)
    return page


def commands(reports: Mapping[str, Report]) -> str:
    """Give the command that made each measurement."""
    lines = [f"    {command(name, report)}" for name, report in reports.items()]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def command(name: str, report: Report) -> str:
    """Give the command that made a measurement, from what it says of itself."""
    config = report["config"]
    words = ["riverdesk evaluate", report["evaluated"], config["file"]]
    if report["evaluated"] == "tickets":
        words.append(f"--shuffles {config['shuffles']}")
        if config["label_share"] < 1.0:
            words.append(f"--label-share {config['label_share']:g} --ask {config['ask']}")
        if config["label_delay"]:
            words.append(f"--label-delay {config['label_delay']}")
        if config["arrival"] != "shuffled":
            words.append(f"--arrival {config['arrival']}")
        if config["baselines"] != "standard":
            words.append(f"--baselines {config['baselines']}")
    else:
        words.append(f"--seeds {len(config['seeds'])}")
        if config["label_delay_days"] != 7:
            words.append(f"--label-delay-days {config['label_delay_days']}")
        if config["drift"] != "none":
            words.append(f"--drift {config['drift']}")
        if not config["whole"]:
            words.append("--to-test")
    if "ceiling" in report:
        words.append("--ceiling")
    return " ".join([*words, f"--json evaluation-{name}.json"])


def tickets(reports: Mapping[str, Report]) -> str:
    """Give one row for each measurement of tickets."""
    rows = [
        [
            f"`{name}`", each["config"]["file"].partition(".")[0],
            _arrived(each["config"]), three(each["test_accuracy"]),
            three(each["prequential_accuracy"]), three(each["macro_f1"]), three(each["ece"]),
            three(each["accuracy_at_90_coverage"]), percent(each["label_share_used"]),
            whole(each["predict_us"]), whole(each["learn_us"]),
            times(each["ratio_to_river_mnb"]),
        ]
        for name, each in _of(reports, "tickets").items()
    ]  # fmt: skip
    return table(
        "measurement | file | labels | test | stream | macro F1 | ECE | right at 90 % | labelled |"
        " µs predict | µs learn | × River's NB",
        rows,
    )


def ticket_shuffles(reports: Mapping[str, Report]) -> str:
    """Give each shuffle's figures."""
    rows = [
        [
            f"`{name}`", str(seed), three(each["test_accuracy"]),
            three(each["prequential_accuracy"]), three(each["ece"]),
            three(each["accuracy_at_90_coverage"]), percent(each["answered_share"]),
            three(each["answered_accuracy"]),
        ]
        for name, report in _of(reports, "tickets").items()
        for seed, each in enumerate(report["by_shuffle"])
    ]  # fmt: skip
    return table(
        "measurement | shuffle | test | stream | ECE | right at 90 % | answered for |"
        " of these right",
        rows,
    )


def ticket_baselines(reports: Mapping[str, Report]) -> str:
    """Give Riverdesk and the others of the same run."""
    rows = []
    for name, report in _of(reports, "tickets").items():
        beside = {"riverdesk": report, **report["baselines"]}
        for who, each in beside.items():
            if len(beside) > 1:
                rows.append([
                    f"`{name}`", NAMES[who], three(each["test_accuracy"]),
                    three(each["prequential_accuracy"]),
                    three(each["prequential_accuracy_last_fifth"]),
                    whole(each["predict_us"]), whole(each["learn_us"]),
                ])  # fmt: skip
        if "ceiling" in report:
            found = report["ceiling"]
            rows.append(
                [f"`{name}`", f"scikit-learn, {found['what']}", three(found["test_accuracy"])]
                + ["–"] * 4
            )
    return table(
        "measurement | learner | test | stream | its last fifth | µs predict | µs learn", rows
    )


def transactions(reports: Mapping[str, Report]) -> str:
    """Give one row for each measurement of transactions."""
    rows = [
        [
            f"`{name}`", f"{each['test_from']} – {each['test_until'][5:]}",
            f"{each['test_rows_book']:,} ({each['test_frauds_book']:,})",
            three(each["average_precision_book"]), three(each["average_precision_all"]),
            three(each["card_precision_100"]), three(each["auc_roc"]), four(each["ece"]),
            three(each["precision_at_alert_budget"]), three(each["recall_at_alert_budget"]),
            whole(each["event_us"]), times(each["ratio_to_river_logistic"]),
        ]
        for name, each in _of(reports, "transactions").items()
    ]  # fmt: skip
    return table(
        "measurement | tested | rows (frauds) | AP book | AP all | cards@100 | AUC | ECE |"
        " precision | recall | µs an event | × River's LR",
        rows,
    )


def transaction_seeds(reports: Mapping[str, Report]) -> str:
    """Give each seed's figures."""
    rows = [
        [
            f"`{name}`", str(seed), three(each["average_precision_book"]),
            three(each["average_precision_all"]), three(each["card_precision_100"]),
            four(each["ece"]), whole(each["event_us"]), whole(each["event_us_mean"]),
        ]
        for name, report in _of(reports, "transactions").items()
        for seed, each in zip(report["config"]["seeds"], report["by_seed"], strict=True)
    ]  # fmt: skip
    return table(
        "measurement | seed | AP book | AP all | cards@100 | ECE | µs an event | mean µs", rows
    )


def transaction_baselines(reports: Mapping[str, Report]) -> str:
    """Give Riverdesk and the others of the same run."""
    rows = []
    for name, report in _of(reports, "transactions").items():
        beside = {"riverdesk": report, **report["baselines"]}
        for who, each in beside.items():
            if len(beside) > 1:
                rows.append([
                    f"`{name}`", NAMES[who], three(each["average_precision_book"]),
                    three(each["average_precision_all"]), three(each["card_precision_100"]),
                    three(each["auc_roc"]), whole(each.get("event_us")),
                ])  # fmt: skip
        if "ceiling" in report:
            found = report["ceiling"]
            rows.append([
                f"`{name}`", f"scikit-learn, {found['what']}",
                three(found["average_precision_book"]), three(found["average_precision_all"]),
                "–", "–", "–",
            ])  # fmt: skip
    return table("measurement | learner | AP book | AP all | cards@100 | AUC | µs an event", rows)


def drift(reports: Mapping[str, Report]) -> str:
    """Give what a shifting pattern does to ours and to a frozen learner."""
    rows = []
    for name, report in _of(reports, "transactions").items():
        if "drift" in report:
            found, days = report["drift"], report["config"]["drift_days"]
            rows += [
                [
                    f"`{name}`", " – ".join(days[week]),
                    three(found[f"average_precision_{week}"]), three(found[f"frozen_{week}"]),
                ]
                for week in ("week_2", "week_3")
            ]  # fmt: skip
    return table("measurement | days | Riverdesk | frozen", rows)


def made_with(reports: Mapping[str, Report]) -> str:
    """Give the versions that the measurements name; they should be the same for all."""
    names = ("core", "river", "numpy", "python")
    rows = {tuple(str(each["config"][name]) for name in names) for each in reports.values()}
    return table(" | ".join(names), [list(row) for row in sorted(rows)])


def picture(name: str, shows: str) -> Callable[[Mapping[str, Report]], str]:
    """Give what shows a picture once its measurement is there."""
    return lambda reports: f"![{shows}](figures/evaluation-{name}.svg)" if name in reports else ""


TABLES: dict[str, Callable[[Mapping[str, Report]], str]] = {
    "commands": commands,
    "tickets": tickets,
    "ticket baselines": ticket_baselines,
    "ticket shuffles": ticket_shuffles,
    "transactions": transactions,
    "transaction baselines": transaction_baselines,
    "transaction seeds": transaction_seeds,
    "drift": drift,
    "versions": made_with,
    "picture of tickets": picture(
        "tickets", "Accuracy over the stream, calibration, accuracy by coverage"
    ),
    "picture of transactions": picture(
        "transactions", "Average precision by week, precision by recall, calibration"
    ),
    "picture of drift": picture("drift", "Average precision by week while the pattern shifts"),
}


def draw_tickets(report: Report, picture: Path) -> None:
    """Draw accuracy over the stream, calibration, and accuracy by coverage."""
    plt = _pyplot()
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(9.5, 2.9), width_ratios=[3, 2, 2], layout="constrained"
    )
    curves = report["curves"]
    for name, points in curves["prequential"].items():
        left.plot(*zip(*points, strict=True), color=COLORS[name], label=NAMES[name])
    left.set(ylim=(0, 1), xlabel="tickets so far", ylabel="right before the label was known")
    left.legend(frameon=False, fontsize=7, loc="lower right")
    middle.plot([0, 1], [0, 1], color=QUIET, linestyle="--")
    bins = curves["reliability"]
    middle.plot(
        [each["confidence"] for each in bins], [each["share"] for each in bins], marker="o",
        markersize=3, color=GOOD,
    )  # fmt: skip
    middle.set(xlabel="confidence", ylabel="share right", title=f"ECE {three(report['ece'])}")
    right.plot(*zip(*curves["coverage"], strict=True), color=GOOD)
    right.axvline(0.9, color=QUIET, linestyle="--")
    right.set(
        xlabel="share of tickets answered, surest first", ylabel="of these right",
        title=f"{three(report['accuracy_at_90_coverage'])} at 90 %",
    )  # fmt: skip
    _save(figure, (left, middle, right), picture)


def draw_transactions(report: Report, picture: Path) -> None:
    """Draw average precision by week, precision by recall, and calibration."""
    plt = _pyplot()
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(9.5, 2.9), width_ratios=[3, 2, 2], layout="constrained"
    )
    curves = report["curves"]
    _draw_weeks(left, curves["average_precision_by_week"])
    middle.plot(*zip(*curves["precision_recall_all"], strict=True), color=GOOD)
    middle.set(
        xlim=(0, 1), ylim=(0, 1), xlabel="recall", ylabel="precision", title="all of the test days"
    )
    right.plot([1e-4, 1], [1e-4, 1], color=QUIET, linestyle="--")
    bins = [each for each in curves["reliability"] if each["share"] > 0]
    right.plot(
        [each["confidence"] for each in bins], [each["share"] for each in bins], marker="o",
        markersize=3, color=GOOD,
    )  # fmt: skip
    right.set(
        xscale="log", yscale="log", xlabel="score", ylabel="share of frauds",
        title=f"ECE {four(report['ece'])}",
    )  # fmt: skip
    _save(figure, (left, middle, right), picture)


def draw_drift(report: Report, picture: Path) -> None:
    """Draw average precision by week while the pattern shifts."""
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
    weeks = report["curves"]["average_precision_by_week"]
    _draw_weeks(axes, weeks)
    days = report["config"]["drift_days"]
    for name, shown in (("cheap_from", "stolen cards go cheap"), ("inflated_from", "× 1.4")):
        at = sum(week["from"] <= days[name] for week in weeks) - 0.5
        axes.axvline(at, color=DARK, linewidth=0.8)
        axes.annotate(shown, (at + 0.1, 0.95), color=DARK, fontsize=7)
    _save(figure, (axes,), picture)


def _draw_weeks(axes: Any, weeks: Sequence[Mapping[str, Any]]) -> None:
    names = [name for name in weeks[0] if name not in ("from", "rows", "frauds")]
    for name in names:
        values = [week[name] if week[name] is not None else float("nan") for week in weeks]
        axes.plot(range(len(weeks)), values, color=COLORS[name], label=NAMES[name])
    step = max(len(weeks) // 6, 1)
    axes.set_xticks(
        range(0, len(weeks), step), [week["from"][5:] for week in weeks[::step]], fontsize=7
    )
    axes.set(ylim=(0, 1), xlabel="week from", ylabel="average precision, all")
    axes.legend(frameon=False, fontsize=7, loc="lower right")


def _pyplot() -> Any:
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "riverdesk", "font.size": 9, "svg.fonttype": "none"})
    return plt


def _save(figure: Any, all_axes: Sequence[Any], picture: Path) -> None:
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(9)
    figure.savefig(picture, metadata={"Date": None})


def _of(reports: Mapping[str, Report], kind: str) -> dict[str, Report]:
    return {name: each for name, each in reports.items() if each["evaluated"] == kind}


def _arrived(config: Mapping[str, Any]) -> str:
    said = []
    if config["label_delay"]:
        said.append(f"{config['label_delay']:,} late")
    if config["label_share"] < 1.0:
        said.append(f"asked by {config['ask']}")
    if config["arrival"] != "shuffled":
        said.append("one class after the other")
    return ", ".join(said) or "all, at once"


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    """Give a table in Markdown; nothing without rows."""
    if not rows:
        return ""
    names = [name.strip() for name in head.split("|")]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def three(value: float | None) -> str:
    """Give a share with three digits, as tables write it."""
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


def four(value: float | None) -> str:
    """Give a small share with four digits."""
    return "–" if value is None else f"{value:.4f}".removeprefix("0")


def percent(value: float | None) -> str:
    """Give a share in per cent."""
    return "–" if value is None else f"{value:.1%}"


def whole(value: float | None) -> str:
    """Give microseconds."""
    return "–" if value is None else f"{value:,.0f}"


def times(value: float | None) -> str:
    """Give how many times as fast."""
    return "–" if value is None else f"{value:.1f} ×"


def main(words: Sequence[str]) -> None:
    """Fill the page and draw the pictures."""
    reports = load()
    PAGE.write_text(fill(PAGE.read_text(), reports))
    if "--tables" in words:
        return
    pictures: dict[str, Callable[[Report, Path], None]] = {
        "tickets": draw_tickets,
        "transactions": draw_transactions,
        "drift": draw_drift,
    }
    for name, draw in pictures.items():
        if name in reports:
            draw(reports[name], HERE / f"evaluation-{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
