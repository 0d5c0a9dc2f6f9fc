import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.main import main

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]


def test_campaign_on_the_embedded_broker_reports_the_fixed_keys(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    arguments = "chaos --broker embedded --events 400 --workers 1 --faults 3 --seed 3"
    outcome = CliRunner().invoke(
        main, [*arguments.split(), "--then-replay", "50", "--json", str(path)]
    )
    assert outcome.exit_code == 0, outcome.output
    assert "skipped on this broker: worker_added, worker_removed, broker_killed" in outcome.output
    report = json.loads(path.read_text())
    assert report["events_in"] >= 400
    assert (report["lost"], report["duplicated"], report["differing"]) == (0, 0, 0)
    assert report["dead_letters"] >= 0
    assert sum(report["faults"].values()) == 3
    assert set(report["recovery_s"]) == {"p50", "max"}
    assert report["longest_pause_s"] > 0
    replayed = {name: report["replay"][name] for name in ("checked", "equal", "differing")}
    assert replayed == {"checked": 50, "equal": 50, "differing": 0}
    assert report["replay"]["decisions_per_s"] > 0
