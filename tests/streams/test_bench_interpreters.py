"""Peers run with an interpreter of their own, everything else with ours."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.errors import UnavailableError
from streams.bench import registry
from streams.bench.fixed_job import DESK, PEERS, Engine, start
from streams.bench.ground import Asked
from streams.bench.interpreters import SAME_WORK, default_peers_python, differing, versions
from streams.cli.main import main
from streams.settings import Settings


def program(path: Path, words: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return str(path)


class Ground:
    """What an engine is started on, without a broker."""

    def __init__(self, directory: Path, peers_python: str) -> None:
        self.asked = Asked(peers_python=peers_python)
        self.directory = directory

    def name(self, what: str) -> str:
        return what

    def settings_for(self, worker: str) -> Settings:
        return Settings(state_dir=self.directory / worker, kafka={"bootstrap": "127.0.0.1:9"})

    def add_topic(self, name: str, **config: str) -> str:
        return name


@pytest.mark.parametrize("is_apart", [True, False])
def test_only_an_engine_apart_runs_with_the_interpreter_of_the_peers(
    tmp_path: Path, is_apart: bool
) -> None:
    python = program(tmp_path / "python", 'echo "the peers ran $*"')
    ground: Any = Ground(tmp_path, python)
    process, _ = start(ground, Engine("one", "nothing_of_that_name", is_apart=is_apart))
    with process:
        process.wait(60)
        with pytest.raises(UnavailableError) as caught:
            _ = process.pid
    assert (
        "the peers ran -m streams.bench.engines.nothing_of_that_name one-out" in str(caught.value)
    ) is is_apart
    assert ("No module named" in str(caught.value)) is not is_apart


def test_those_apart_are_the_ones_that_hold_back_our_packages() -> None:
    assert {each.name for each in PEERS if each.is_apart} == {"quix_state", "bytewax_state"}
    assert not DESK.is_apart


def test_a_package_is_looked_for_where_its_engine_runs(tmp_path: Path) -> None:
    python = program(tmp_path / "python", 'echo "python 3.12.0"; echo "quixstreams 3.28.1"')
    assert Engine("one", "one", "quixstreams", is_apart=True).is_there(python)
    assert not Engine("one", "one", "bytewax", is_apart=True).is_there(python)
    assert Engine("one", "one", "orjson").is_there(python)
    assert not Engine("one", "one", "a-package-that-nobody-has").is_there(python)


def test_versions_are_those_that_are_installed() -> None:
    found = versions(sys.executable)
    assert {*SAME_WORK, "confluent-kafka", "python"} <= found.keys()
    assert found["river"] == version("river")
    assert versions(sys.executable, ["a-package-that-nobody-has"]).keys() == {"python"}


@pytest.mark.parametrize("words", ["exit 3", None])
def test_an_interpreter_that_does_not_run_is_named(tmp_path: Path, words: str | None) -> None:
    python = str(tmp_path / "python")
    if words:
        program(tmp_path / "python", words)
    with pytest.raises(UnavailableError, match="python does not run"):
        versions(python)


def test_what_makes_the_fixed_job_other_work_is_named() -> None:
    own = {"river": "2", "numpy": "1", "confluent-kafka": "2.16.1"}
    assert differing(own, own | {"confluent-kafka": "2.12.2"}) == []
    assert differing(own, own | {"river": "3"}) == ["river 2 and 3"]


def test_the_environment_of_the_peers_lies_beside_ours(tmp_path: Path) -> None:
    assert default_peers_python(tmp_path / ".venv") == sys.executable
    python = program(tmp_path / ".venv-bench" / "bin" / "python", "")
    assert default_peers_python(tmp_path / ".venv") == python


def test_the_interpreter_can_be_named_and_the_report_has_the_versions_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        registry.PARTS, "one", lambda ground: {"one": {"python": ground.asked.peers_python}}
    )
    python = program(tmp_path / "python", 'echo "python 3.12.0"; echo "river 0.1"')
    path = tmp_path / "report.json"
    arguments = ["bench", "one", "--broker", "127.0.0.1:9", "--peers-python", python]
    done = CliRunner().invoke(main, [*arguments, "--json", str(path)])
    assert done.exit_code == 0, done.output
    found = json.loads(path.read_bytes())
    assert found["one"]["python"] == python
    assert found["versions"]["peers"] == {"python": "3.12.0", "river": "0.1"}
    assert found["versions"]["desk"]["river"] == version("river")
    assert f"not the same work for desk and peers: river {version('river')} and 0.1" in done.output
