import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.main import main
from streams.cli.simulate import DAY_MS, start_of_company
from streams.simulator.company import company
from streams.upstream.addressing import address

NOW_MS = 1_795_300_000_000


def simulate(*words: object) -> Result:
    return CliRunner().invoke(main, ["simulate", *map(str, words)])


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_company_ends_within_the_last_day_and_never_later(seed: int) -> None:
    start_ms = start_of_company(seed, 600, NOW_MS)
    end_ms = max(event.at_ms for event in company(seed, 600, start_ms))
    assert start_ms % DAY_MS == 0
    assert NOW_MS - 2 * DAY_MS < end_ms <= NOW_MS


def test_file_holds_valid_events_in_order_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "events.jsonl", tmp_path / "events.jsonl.gz"
    for path in (plain, packed):
        result = simulate("--events", 400, "--seed", 7, "--out", path)
        assert (result.exit_code, result.output) == (0, f"400 events written to {path}\n")
    written = plain.read_bytes().splitlines()
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert len(written) == 400
    assert len({address(raw, None).topic.name for raw in written}) == 3


def test_files_are_streamed_for_the_days_that_were_asked_for(tmp_path: Path) -> None:
    rows = [
        {
            "id": number,
            "ts": 1_533_686_400 + number * 3_600,
            "customer_id": f"c{number % 3}",
            "terminal_id": "t1",
            "amount": 12.5,
            "is_fraud": 0,
        }
        for number in range(72)
    ]
    source, out = tmp_path / "transactions.jsonl", tmp_path / "events.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows))
    words = ["--transactions", source, "--from", "2018-08-08", "--days", 2, "--out", out]
    result = simulate(*words)
    assert result.exit_code == 0, result.output
    days = [json.loads(line)["occurred_at"][:10] for line in out.read_text().splitlines()]
    assert days == ["2018-08-08"] * 24 + ["2018-08-09"] * 24
