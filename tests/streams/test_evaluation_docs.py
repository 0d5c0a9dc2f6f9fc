"""docs/evaluation.md is made from measurements, not typed."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from streams.cli.evaluate import tickets, transactions
from tests.models.evaluation_rows import payments
from tests.streams.test_cli_evaluate import (
    START_S,
    evaluate,
    ticket_rows,
    transaction_row,
    written,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluation.md").read_text()


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs/figures/evaluation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("measured")
    rows = ticket_rows(60)
    for at, row in enumerate(rows):
        row["split"] = "test" if at % 3 == 0 else "train"
    texts = written(folder / "texts.jsonl", rows)
    paid = written(
        folder / "paid.jsonl", [transaction_row(row) for row in payments(500, START_S, 14_000)]
    )
    words = {
        "tickets": ["tickets", texts, "--shuffles", 2],
        "asked": ["tickets", texts, "--shuffles", 1, "--label-share", 0.5, "--ask", "margin"],
        "transactions": ["transactions", paid, "--seeds", 1],
        "drift": ["transactions", paid, "--seeds", 1, "--drift", "inject"],
    }
    found = {}
    for name, each in words.items():
        out = folder / f"evaluation-{name}.json"
        assert evaluate(*each, "--json", out).exit_code == 0
        found[name] = json.loads(out.read_text())
    return found


def test_page_is_what_its_measurements_say(maker: ModuleType) -> None:
    assert maker.fill(PAGE, maker.load()) == PAGE, "run: python docs/figures/evaluation.py"


def test_page_has_a_place_for_every_table_and_no_other(maker: ModuleType) -> None:
    assert set(re.findall(r"<!-- made: (.*?) -->", PAGE)) == set(maker.TABLES)
    assert PAGE.count("<!-- end -->") == len(maker.TABLES)


def test_page_names_options_that_there_are() -> None:
    options = {
        name
        for each in (tickets, transactions)
        for p in each.params
        for name in (*p.opts, *p.secondary_opts)
    }
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) <= options


def test_tables_hold_what_was_measured_with_the_command_beside(
    maker: ModuleType, measured: dict[str, dict]
) -> None:
    page = maker.fill(PAGE, measured)
    assert maker.NOTHING not in page
    assert maker.fill(page, measured) == page
    for report in measured.values():
        for name in ("test_accuracy", "average_precision_book", "ece"):
            if name in report:
                digits = 4 if name == "ece" and "card_precision_100" in report else 3
                assert f"| {report[name]:.{digits}f} |".replace("| 0", "| ") in page
    assert (
        "    riverdesk evaluate tickets texts.jsonl --shuffles 1 --label-share 0.5 --ask margin"
        " --json evaluation-asked.json\n"
    ) in page
    assert "evaluate transactions paid.jsonl --seeds 1 --drift inject --json" in page


def test_pictures_are_drawn(maker: ModuleType, measured: dict[str, dict], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, draw in (
        ("tickets", maker.draw_tickets),
        ("transactions", maker.draw_transactions),
        ("drift", maker.draw_drift),
    ):
        draw(measured[name], tmp_path / f"{name}.svg")
        assert "</svg>" in (tmp_path / f"{name}.svg").read_text()
