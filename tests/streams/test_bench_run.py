"""The bench on the stand-in broker: that it runs and answers, not how fast."""

import json

import pytest
from click.testing import CliRunner

from streams.bench.engine_process import EngineProcess
from streams.cli.main import main
from streams.settings import Settings


@pytest.mark.embedded
def test_bench_runs_the_fixed_job_on_a_peer(tmp_path):
    path = tmp_path / "report.json"
    arguments = ["bench", "peers", "--broker", "embedded", "--engine", "confluent"]
    done = CliRunner().invoke(
        main, [*arguments, "--events", "30000", "--repeats", "1", "--json", str(path)]
    )
    assert done.exit_code == 0, done.output
    report = json.loads(path.read_bytes())
    figures = report["peers"]["confluent"]
    assert figures["events_per_s"] > 0
    assert figures["floor_us"] > 0
    assert figures["cpu_us"] == pytest.approx(figures["floor_us"] + figures["overhead_us"], abs=0.1)


def test_bench_names_its_parts():
    listed = CliRunner().invoke(main, ["bench", "list"])
    assert {"desk", "peers", "latency", "scale"} <= set(listed.output.split())
    refused = CliRunner().invoke(main, ["bench", "nonsense"])
    assert refused.exit_code == 2
    assert "latency" in refused.output


def test_engine_that_ends_says_why(tmp_path):
    settings = Settings(state_dir=tmp_path, kafka={"bootstrap": "127.0.0.1:9"})
    engine = EngineProcess("floor", settings, ["1.2.3"])
    with engine:
        engine.wait(60)
        with pytest.raises(Exception, match="could not convert string to float"):
            _ = engine.pid
