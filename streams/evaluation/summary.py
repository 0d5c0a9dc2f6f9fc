"""An evaluation's result as tables for people; fits 80 columns."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from streams.demo.summary import figure, percent


def ticket_summary(report: Mapping[str, Any]) -> list[Table]:
    """Lay out what was found about tickets."""
    config = report["config"]
    facts = _upright(f"Tickets: {config['file']}")
    facts.add_row(
        "rows",
        f"{config['rows']:,} streamed, {config['test_rows']:,} tested at the end, "
        f"{config['classes']} classes",
    )
    facts.add_row(
        "labels",
        f"{percent(report['label_share_used'])} of the tickets, {config['label_delay']:,} late"
        + (f", asked by {config['ask']}" if config["label_share"] < 1.0 else ""),
    )
    facts.add_row("shuffles", f"{config['shuffles']}, {config['arrival']}")
    facts.add_row("tested on", report["tested_on"])
    facts.add_row("macro F1", figure(report["macro_f1"]))
    facts.add_row("calibration", f"ECE {figure(report['ece'])}, 15 bins")
    facts.add_row("surest 90 %", f"{figure(report['accuracy_at_90_coverage'])} of them right")
    if report["ratio_to_river_mnb"] is not None:
        facts.add_row("predicting", f"{report['ratio_to_river_mnb']:.1f} × as fast as River's")
    if "ceiling" in report:
        facts.add_row("batch ceiling", figure(report["ceiling"]["test_accuracy"]))
    table = _beside("accuracy", "test", "stream", "last fifth", "µs predict", "µs learn")
    table.add_row("riverdesk", *_ticket_row(report), style="bold")
    for name, each in report["baselines"].items():
        table.add_row(name, *_ticket_row(each))
    return [facts, table]


def transaction_summary(report: Mapping[str, Any]) -> list[Table]:
    """Lay out what was found about transactions."""
    config = report["config"]
    facts = _upright(f"Transactions: {config['file']}")
    facts.add_row("rows", f"{config['rows']:,}, {config['frauds']:,} of them fraud")
    facts.add_row("labels", f"{config['label_delay_days']} days late")
    facts.add_row("seeds", str(len(config["seeds"])))
    facts.add_row(
        "tested on",
        f"{report['test_from']} to {report['test_until']}: {report['test_rows_all']:,} "
        f"({report['test_frauds_all']:,} frauds);\nwithout cards known before "
        f"{report['test_rows_book']:,} ({report['test_frauds_book']:,})",
    )
    facts.add_row("calibration", f"ECE {_four(report['ece'])}, 15 bins")
    facts.add_row(
        f"{config['alert_budget_per_day']} alerts a day",
        f"precision {figure(report['precision_at_alert_budget'])}, "
        f"recall {figure(report['recall_at_alert_budget'])}",
    )
    facts.add_row(
        "an event",
        f"{report['event_us']:.0f} µs: {report['predict_us']:.0f} to score, "
        f"{report['learned_share_us']:.0f} for its share of learning",
    )
    if report["ratio_to_river_logistic"] is not None:
        facts.add_row("beside River's", f"{report['ratio_to_river_logistic']:.2f} × as fast")
    if "drift" in report:
        drift = report["drift"]
        for name, shown in (("week_2", "drift, second week"), ("week_3", "drift, third week")):
            facts.add_row(
                shown,
                f"average precision {figure(drift[f'average_precision_{name}'])}, "
                f"frozen {figure(drift[f'frozen_{name}'])}",
            )
    if "ceiling" in report:
        found = report["ceiling"]
        facts.add_row(
            "batch ceiling",
            f"average precision {figure(found['average_precision_book'])} (book), "
            f"{figure(found['average_precision_all'])} (all)",
        )
    table = _beside("average precision", "book", "all", "cards@100", "AUC", "µs an event")
    table.add_row("riverdesk", *_transaction_row(report), style="bold")
    for name, each in report["baselines"].items():
        table.add_row(name, *_transaction_row(each))
    return [facts, table]


def _upright(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    return table


def _beside(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="cyan")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _ticket_row(each: Mapping[str, Any]) -> list[str]:
    return [
        figure(each["test_accuracy"]),
        figure(each["prequential_accuracy"]),
        figure(each["prequential_accuracy_last_fifth"]),
        _whole(each["predict_us"]),
        _whole(each["learn_us"]),
    ]


def _transaction_row(each: Mapping[str, Any]) -> list[str]:
    return [
        figure(each["average_precision_book"]),
        figure(each["average_precision_all"]),
        figure(each["card_precision_100"]),
        figure(each["auc_roc"]),
        _whole(each.get("event_us")),
    ]


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
