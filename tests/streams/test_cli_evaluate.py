"""``riverdesk evaluate`` on small files, whole and broken."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models.evaluation.baselines import TICKET_BASELINES
from streams.cli.main import main
from tests.models.evaluation_rows import Row, payments, tickets

START_S = 1_612_137_600
TICKET_KEYS = {
    "test_accuracy", "prequential_accuracy", "prequential_accuracy_last_fifth", "macro_f1", "ece",
    "accuracy_at_90_coverage", "label_share_used", "predict_us", "learn_us",
    "ratio_to_river_mnb", "tested_on", "baselines", "config", "curves", "by_shuffle",
}  # fmt: skip
TRANSACTION_KEYS = {
    "average_precision_book", "average_precision_all", "card_precision_100", "ece", "event_us",
    "event_us_mean", "river_logistic", "ratio_to_river_logistic", "auc_roc", "test_from",
    "test_until", "precision_at_alert_budget", "recall_at_alert_budget", "config", "curves",
    "by_seed", "baselines",
}  # fmt: skip


def evaluate(*words: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, words)])


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path


def ticket_rows(number: int = 60) -> list[dict[str, Any]]:
    return [
        {"id": at, "text": row.text, "label": row.label, "unknown": {"extra": [1]}}
        for at, row in enumerate(tickets(number))
    ]


def transaction_row(row: Row) -> dict[str, Any]:
    return {
        "id": int(row.id), "ts": row.ts, "customer_id": int(row.customer_id[1:]),
        "terminal_id": row.terminal_id, "amount": row.amount, "is_fraud": int(row.is_fraud),
        "scenario": int(row.scenario) or None, "extra": None,
    }  # fmt: skip


def transaction_rows(number: int = 240) -> list[dict[str, Any]]:
    return [transaction_row(row) for row in payments(number, START_S, 5_000)]


def test_tickets_with_a_test_part_are_reported(tmp_path: Path) -> None:
    rows = ticket_rows()
    for at, row in enumerate(rows):
        row["split"] = ("train", "train", "test", "validation")[at % 4]
    path, out = written(tmp_path / "k.jsonl.gz", rows), tmp_path / "out.json"
    result = evaluate("tickets", path, "--shuffles", 2, "--json", out)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert set(report) >= TICKET_KEYS
    config = report["config"]
    assert (config["file"], config["rows"], config["test_rows"]) == ("k.jsonl.gz", 30, 15)
    assert (config["left_out_rows"], config["classes"], config["seeds"]) == (15, 3, [0, 1])
    assert set(config) >= {"core", "river", "numpy", "python", "label_share", "ask", "arrival"}
    assert set(report["baselines"]) == {"majority", "river_multinomial_nb", "river_logistic"}
    for each in report["baselines"].values():
        assert set(each) >= {"prequential_accuracy", "test_accuracy", "predict_us", "learn_us"}
    assert report["baselines"]["river_logistic"]["shuffles"] == 1
    assert len(report["by_shuffle"]) == 2
    assert "riverdesk" in result.stdout
    assert "shuffle 1: 100 %" in result.stderr
    assert str(tmp_path) not in out.read_text()


@pytest.mark.parametrize("split", [None, "train", "test"])
def test_tickets_without_a_test_part_are_judged_on_the_stream(
    tmp_path: Path, split: str | None
) -> None:
    rows = [row | ({} if split is None else {"split": split}) for row in ticket_rows()]
    path, out = written(tmp_path / "k.jsonl", rows), tmp_path / "out.json"
    result = evaluate(
        "tickets", path, "--shuffles", 1, "--label-share", 0.5, "--label-delay", 3, "--ask",
        "margin", "--arrival", "by-class", "--baselines", "none", "--json", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert report["tested_on"].startswith("the last fifth")
    assert report["baselines"] == {}
    assert report["ratio_to_river_mnb"] is None
    assert 0.3 < report["label_share_used"] < 0.7


def test_shuffles_in_processes_of_their_own_give_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / "k.jsonl", ticket_rows(40))
    found = []
    for jobs in (1, 2):
        out = tmp_path / f"{jobs}.json"
        words = ["--shuffles", 2, "--baselines", "none", "--jobs", jobs, "--json", out]
        assert evaluate("tickets", path, *words).exit_code == 0
        report = json.loads(out.read_text())
        found.append([report["curves"], report["macro_f1"], report["ece"]])
    assert found[0] == found[1]


def test_transactions_of_any_dates_are_reported(tmp_path: Path) -> None:
    path, out = written(tmp_path / "p.jsonl", transaction_rows()), tmp_path / "out.json"
    result = evaluate("transactions", path, "--protocol", "book", "--seeds", 2, "--json", out)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert set(report) >= TRANSACTION_KEYS
    assert (report["test_from"], report["test_until"]) == ("2021-02-08", "2021-02-14")
    assert report["config"]["rows"] == 240
    assert set(report["river_logistic"]) >= {
        "average_precision_book", "average_precision_all", "event_us",
    }  # fmt: skip
    assert len(report["by_seed"]) == 2
    assert "drift" not in report


def test_drift_is_reported_beside_a_frozen_learner(tmp_path: Path) -> None:
    rows = [transaction_row(row) for row in payments(500, START_S, 14_000)]
    path, out = written(tmp_path / "p.jsonl", rows), tmp_path / "out.json"
    words = ["--drift", "inject", "--seeds", 1, "--no-baselines", "--json", out]
    result = evaluate("transactions", path, *words)
    assert result.exit_code == 0, result.output
    drift = json.loads(out.read_text())["drift"]
    assert set(drift) == {
        "average_precision_week_2", "average_precision_week_3", "frozen_week_2", "frozen_week_3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("what", "bad", "says"),
    [
        ("tickets", {"id": 1, "label": "a"}, "line 2: text: 1 to"),
        ("tickets", {"id": 1, "text": "", "label": "a"}, "line 2: text: 1 to"),
        ("tickets", {"id": 1, "text": "a", "label": 1.5}, "line 2: label: a number or"),
        ("tickets", {"text": "a", "label": "a"}, "line 2: id: a number or"),
        ("tickets", [1], "line 2: not a JSON object"),
        ("transactions", {"id": 1, "ts": "then"}, "line 2: ts: a whole number"),
        ("transactions", {"ts": 1, "amount": -1}, "line 2: id: a number or"),
        ("transactions", {"is_fraud": 2}, "line 2: id: a number or"),
    ],
)
def test_bad_row_is_refused_by_line_and_field(
    tmp_path: Path, what: str, bad: Any, says: str
) -> None:
    good = ticket_rows(1)[0] if what == "tickets" else transaction_rows(1)[0]
    path = written(tmp_path / "bad.jsonl", [good, bad])
    result = evaluate(what, path)
    assert result.exit_code == 1
    assert f"bad.jsonl, {says}" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("field", ["customer_id", "terminal_id", "amount", "is_fraud"])
def test_transaction_without_a_field_is_refused_by_its_name(tmp_path: Path, field: str) -> None:
    rows = transaction_rows(2)
    del rows[1][field]
    result = evaluate("transactions", written(tmp_path / "bad.jsonl", rows))
    assert (result.exit_code, f"bad.jsonl, line 2: {field}: " in result.stderr) == (1, True)


@pytest.mark.parametrize("what", ["tickets", "transactions"])
@pytest.mark.parametrize("name", ["none.jsonl", "none.jsonl.gz"])
def test_empty_file_is_refused(tmp_path: Path, what: str, name: str) -> None:
    result = evaluate(what, written(tmp_path / name, []))
    assert result.exit_code == 1
    assert f"{name}: no rows to learn from" in result.stderr


def test_single_row_and_single_class_are_no_fault(tmp_path: Path) -> None:
    assert evaluate("tickets", written(tmp_path / "k.jsonl", ticket_rows(1))).exit_code == 0
    honest = [row | {"is_fraud": False} for row in transaction_rows(3)]
    path = written(tmp_path / "p.jsonl", honest)
    assert evaluate("transactions", path, "--seeds", 1).exit_code == 0


def test_ceiling_is_fitted_when_asked_for(tmp_path: Path) -> None:
    rows = ticket_rows(40)
    for at, row in enumerate(rows):
        row["split"] = "test" if at % 4 == 0 else "train"
    path, out = written(tmp_path / "k.jsonl", rows), tmp_path / "out.json"
    words = ["--shuffles", 1, "--baselines", "none", "--ceiling", "--json", out]
    result = evaluate("tickets", path, *words)
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())["ceiling"]["test_accuracy"] == 1.0
    assert "batch ceiling" in result.output
    path = written(
        tmp_path / "p.jsonl", [transaction_row(row) for row in payments(420, START_S, 5_000)]
    )
    words = ["--seeds", 1, "--no-baselines", "--ceiling", "--json", out]
    result = evaluate("transactions", path, *words)
    assert result.exit_code == 0, result.output
    ceiling = json.loads(out.read_text())["ceiling"]
    assert ceiling["train_rows"] > 100
    assert ceiling["average_precision_all"] > 0.9


@pytest.mark.parametrize("what", ["tickets", "transactions"])
def test_ceiling_says_at_once_that_its_library_is_absent(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    result = evaluate(what, written(tmp_path / "x.jsonl", []), "--ceiling")
    assert (result.exit_code, "needs scikit-learn" in result.stderr) == (1, True)


def test_baselines_that_would_take_hours_are_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.evaluation.tickets.MOST_WORK", 10)
    path, out = written(tmp_path / "k.jsonl", ticket_rows(40)), tmp_path / "out.json"
    found = {}
    for how in ("standard", "full"):
        words = ["--shuffles", 2, "--baselines", how, "--json", out]
        assert evaluate("tickets", path, *words).exit_code == 0
        report = json.loads(out.read_text())
        found[how] = [report["baselines"][name]["shuffles"] for name in TICKET_BASELINES]
        assert report["ratio_to_river_mnb"] is not None
    assert found == {"standard": [2, 1, 0], "full": [2, 2, 2]}
