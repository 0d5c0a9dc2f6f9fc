"""docs/performance.md is made from measurements, not typed."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from models.policy_v1 import POLICY_V1
from streams.bench.engines.upstream import COMPANY_DAYS, COMPANY_EVENTS
from streams.bench.latency import COMPANY_FIRST
from streams.cli.bench import BROKER_JAVA

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text()


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("page", ROOT / "docs/figures/performance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_what_its_measurements_say(maker: ModuleType) -> None:
    assert maker.fill(PAGE, maker.load()) == PAGE, "run: python docs/figures/performance.py"


def test_page_has_every_table_and_no_other(maker: ModuleType) -> None:
    assert sorted(re.findall(r"<!-- made: (.*?) -->", PAGE)) == sorted(maker.TABLES)


def test_page_without_measurements_says_so(maker: ModuleType) -> None:
    assert maker.fill(PAGE, {}).count(maker.NOTHING) == len(maker.TABLES)


def test_pictures_on_the_page_are_there() -> None:
    for name in re.findall(r"\]\((figures/.*?\.svg)\)", PAGE):
        assert (ROOT / "docs" / name).is_file(), name


def test_all_files_make_one_report(maker: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "performance.json").write_text('{"a": {"b": 1, "c": 2}}')
    (tmp_path / "performance-soak.json").write_text('{"a": {"b": 3, "d": 4}}')
    assert maker.load(tmp_path) == {"a": {"b": 1, "c": 2, "d": 4}}


@pytest.mark.parametrize(("measured", "said"), [(1.2, "yes"), (1.9, "**no**")])
def test_targets_are_told_as_met_or_not(maker: ModuleType, measured: float, said: str) -> None:
    found = maker.targets({"state": {"ratio_1m_to_1k": measured}})
    assert found.splitlines()[-1].endswith(f"| {said} |")
    found = maker.targets({"scale": {"ratio": {"median": measured, "min": 1.0}}})
    assert found.splitlines()[-1].endswith("| yes |" if measured >= 1.8 else "| **no** |")


def test_measured_targets_are_numbers_at_their_keys(maker: ModuleType) -> None:
    for path, *_ in maker.TARGETS:
        found = maker.load()
        for name in path.split("."):
            found = found[name]
        assert isinstance(found, int | float), path


def test_readme_tells_the_same_figures(maker: ModuleType) -> None:
    told = " ".join((ROOT / "README.md").read_text().split())
    found = maker.load()
    peers, latency = found["peers"], found["latency"]
    for said in (
        f"takes {found['fixed_job']['overhead_us']:.0f} µs of CPU an event over the functions",
        f"; {peers['quix_state']['overhead_us']:.0f} on Quix Streams, "
        f"{peers['bytewax_state']['overhead_us']:.0f} on Bytewax",
        f"{peers['faust_agent']['overhead_us']:.0f} in a plain Faust agent",
        f"The real desk takes {found['desk']['cpu_us']:.0f} µs an event, "
        f"{found['desk']['ratio_to_core']:.2f} times what its pure core takes",
        f"in {latency['p50_ms']:.0f} ms (p99 {latency['p99_ms']:.0f})",
        f"Two desks do {found['scale']['ratio']:.2f} times as much as one",
        f"customers costs {found['state']['ratio_1m_to_1k']:.2f} times what it costs at a thousand",
    ):
        assert said in told, f"README.md does not say: {said}"


def test_page_says_under_what_the_latency_was_measured() -> None:
    assert f"({COMPANY_FIRST:,} events)" in PAGE
    honest_h = POLICY_V1["lessons"]["implicit_after_hours"]
    assert honest_h < COMPANY_FIRST / COMPANY_EVENTS * COMPANY_DAYS * 24
    assert f"nobody complained ({honest_h} hours)" in PAGE
    heap, young = (BROKER_JAVA[at].removeprefix(name) for at, name in ((1, "-Xmx"), (2, "-Xmn")))
    told = f"the bench's broker has {heap.replace('g', ' GB')} now, {young.replace('m', ' MB')}"
    assert told in PAGE
