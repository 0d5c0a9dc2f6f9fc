import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.errors import UnavailableError
from streams.bench import fixed_job, headlines
from streams.bench.fixed_job import DESK, PEERS, Engine, Figures, report
from streams.bench.headlines import FIGURES, RATIOS
from streams.bench.latency import Run, percentile, warm_waits_ms
from streams.bench.measuring import Slope, Spread
from streams.bench.registry import PARTS, PLAIN, merge, run
from streams.bench.screen import Screen

FLOOR = Slope(100, 1.0, 0.004)
GROWTH = Path(__file__).parents[2] / "docs" / "figures" / "performance-growth.json"


def figures(*cpu_us: float) -> Figures:
    found = Figures()
    for number, each in enumerate(cpu_us):
        found.add(Slope(1_000, 0.1, each / 1_000), 40.0 + number)
    return found


def test_overhead_is_over_the_floor_of_the_same_run():
    found = figures(50.0, 60.0, 43.0).as_json()
    assert found["overhead_us"] == 10.0  # of 10, 19, 1
    assert found["floor_us"] == 41.0
    assert found["events_per_s"] == 10_000
    assert found["spread"]["overhead_us"]["runs"] == [10.0, 19.0, 1.0]
    assert found["spread"]["scaled_us"]["runs"][0] == 11.5  # 10 * 46 / 40


def test_report_has_the_fixed_keys():
    found = report(
        {engine.name: figures(50.0, 60.0, 70.0) for engine in (DESK, *PEERS)},
        Spread((39.0,)),
        [],
    )
    assert {"overhead_us", "floor_us", "floor_idle_us", "scaled_us"} <= found["fixed_job"].keys()
    for name in ("quix_state", "bytewax_state", "confluent", "faust_agent"):
        assert found["peers"][name]["overhead_us"] == 19.0
    assert found["peers"]["left_out"] == []


def test_engines_that_are_not_installed_are_left_out_and_named(monkeypatch):
    missing = Engine("quix_state", "quix_state", "a_package_that_nobody_has")
    assert not missing.is_there(sys.executable)
    told: list[str] = []

    class Ground:
        class asked:  # noqa: N801
            repeats = 1
            peers_python = sys.executable

        tell = told.append

    monkeypatch.setattr(fixed_job, "preload", lambda ground: None)
    monkeypatch.setattr(fixed_job, "floor_run", lambda seconds: FLOOR)
    monkeypatch.setattr(fixed_job, "work_off", lambda *_: (Slope(100, 1.0, 0.005), FLOOR))
    found = fixed_job.compare(Ground(), [DESK, missing])  # type: ignore[arg-type]
    assert found["peers"] == {"left_out": ["quix_state"]}
    assert found["fixed_job"]["overhead_us"] == 10.0
    assert any("quix_state" in line and "make bench" in line for line in told)


def test_a_run_that_fails_is_counted_and_the_others_go_on(monkeypatch):
    told: list[str] = []

    class Ground:
        class asked:  # noqa: N801
            repeats = 3
            peers_python = sys.executable

        tell = told.append

    runs = iter([Slope(100, 1.0, 0.005), None, Slope(100, 1.0, 0.006)])

    def work_off(ground: object, engine: Engine) -> tuple[Slope, Slope]:
        if (run := next(runs)) is None:
            raise UnavailableError("the engine has ended")
        return run, FLOOR

    monkeypatch.setattr(fixed_job, "preload", lambda ground: None)
    monkeypatch.setattr(fixed_job, "floor_run", lambda seconds: FLOOR)
    monkeypatch.setattr(fixed_job, "work_off", work_off)
    found = fixed_job.compare(Ground(), [DESK])["fixed_job"]  # type: ignore[arg-type]
    assert found["overhead_us"] == 15.0
    assert found["failed_runs"] == 1
    assert any("has ended" in line for line in told)
    assert Figures(failures=["gone"]).as_json() == {"failed_runs": 1, "failures": ["gone"]}


def test_a_part_that_fails_is_named_and_the_others_go_on(monkeypatch):
    def fail(ground: object) -> dict:
        raise UnavailableError("away")

    monkeypatch.setitem(PARTS, "one", fail)
    monkeypatch.setitem(PARTS, "two", lambda ground: {"c": 3})

    class Ground:
        @staticmethod
        def tell(line: str) -> None: ...

    found = run(("one", "two"), Ground())  # type: ignore[arg-type]
    assert found == {"failed": {"one": "away"}, "c": 3}


def test_what_was_published_in_the_warm_up_does_not_count():
    published = {"a": 10_000, "b": 11_999, "c": 12_000, "d": 14_000}
    answered = {"b": 12_400, "c": 12_003, "a": 10_900, "d": 14_007}
    assert sorted(warm_waits_ms(published, answered, 2.0)) == [3.0, 7.0]


def test_percentile_is_the_nearest_rank():
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile([7.0], 0.99) == 7.0


def test_a_plain_run_has_only_parts_that_there_are():
    assert set(PLAIN) <= PARTS.keys()
    assert {"desk", "peers", "latency", "scale"} <= set(PLAIN)


def test_reports_of_parts_are_merged(monkeypatch):
    monkeypatch.setitem(PARTS, "one", lambda ground: {"peers": {"confluent": {"a": 1}}})
    monkeypatch.setitem(PARTS, "two", lambda ground: {"peers": {"confluent": {"b": 2}}, "c": 3})

    class Ground:
        @staticmethod
        def tell(line: str) -> None: ...

    found = run(("one", "two"), Ground())  # type: ignore[arg-type]
    assert found == {"peers": {"confluent": {"a": 1, "b": 2}}, "c": 3}
    assert merge({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"desk": {"ratio_to_core": 1.2, "cpu_us": 600.0, "core_us": 500.0}}, ["1.20", "500"]),
        ({"scale": {"ratio": 1.5, "machine_ratio": 1.6}}, ["1.50", "1.60"]),
        ({"state": {"ratio_1m_to_1k": 1.25}}, ["1M customers / 1k", "1.25"]),
        ({"publisher": {"records_per_s": {"median": 9.0, "min": 8.0, "max": 11.0}}}, ["9 (8–11)"]),
        ({"failed": {"scale": "away"}}, ["scale", "away"]),
        ({"a_new_part": {"a_figure": 7}}, ["a_new_part", "a_figure", "7"]),
        ({"versions": {"desk": {"python": "3.11.7"}}}, []),
        ({"peers": {"left_out": ["quix_state"]}}, []),
    ],
)
def test_screen_prints_whatever_parts_there_are(part, words):
    text = StringIO()
    Screen(Console(file=text, width=120)).report(part)
    assert all(word in text.getvalue() for word in words)


def test_screen_prints_engines_and_latencies_with_their_floors():
    text = StringIO()
    engines = report({"desk": figures(50.0), "confluent": figures(47.0)}, Spread((39.0,)), [])
    engines["peers"]["confluent"]["latency"] = {"p50_ms": 4.0, "p99_ms": 9.0, "cpu_percent": 5.0}
    Screen(Console(file=text, width=120)).report(engines)
    assert all(word in text.getvalue() for word in ("desk", "confluent", "40.0", "9.0"))
    assert Run(1.0, 2.0, 3.0).p99_ms == 2.0


def spread(median: float) -> dict[str, float]:
    return {"median": median, "min": 0.8 * median, "max": 1.2 * median}


def whole_report() -> dict[str, Any]:
    """Everything that a run can have, with figures as wide as they get."""
    latency = {"p50_ms": 24.0, "p99_ms": 120.5, "cpu_percent": 88.8}
    latency |= {"spread": {name: spread(each) for name, each in latency.items()}}
    engines = report(
        {engine.name: figures(180.0, 260.0, 340.0) for engine in (DESK, *PEERS)},
        Spread((39.0,)),
        [],
    )
    for engine in PEERS:
        engines["peers"][engine.name]["latency"] = latency
    ratio = {"ratio_to_core": 1.31, "ratio": 1.62}
    ratio |= {"spread": {name: spread(each) for name, each in ratio.items()}}
    part: dict[str, Any] = {name: spread(34_567.0) for name in ("rows_per_s", "records_per_s")}
    part |= {name: spread(19.6) for name in ("cpu_us_per_row", "cpu_us_per_record", "hour_away_s")}
    part |= {"records": 150_004}
    return {
        **json.loads(GROWTH.read_bytes()),
        **engines,
        "desk": ratio | {"core_us": 467.0},
        "scale": ratio | {"machine_ratio": 1.7},
        "latency": latency | {"fixed_job": latency},
        "latency_half_load": latency,
        "archiver": part,
        "publisher": part,
        "soak": {"minutes": 30.0, "cpu_over_fixed_job": {"percent_per_h": -1.2}},
    }


def printed(found: dict[str, Any], width: int) -> list[str]:
    text = StringIO()
    Screen(Console(file=text, width=width)).report(found)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_screen_needs_80_columns_and_no_more():
    assert printed(whole_report(), 80) == printed(whole_report(), 200)


def test_screen_has_a_row_for_every_headline_ratios_first():
    found = whole_report()
    found["archiver"]["warehouse_cpu_us_per_row"] = spread(12.0)
    found["soak"]["rss_mb"] = {"percent_per_h": 0.1, "level": 300.0}
    ratios, main = (list(headlines.rows(each, found)) for each in (RATIOS, FIGURES))
    assert (len(ratios), len(main)) == (len(RATIOS), len(FIGURES))
    assert all(floor for _, _, floor in ratios)
    lines = printed(found, 80)
    places = [next(at for at, line in enumerate(lines) if row[0] in line) for row in ratios + main]
    assert places[: len(ratios)] == sorted(places[: len(ratios)])
    assert max(places[: len(ratios)]) < min(places[len(ratios) :])


def test_screen_tells_runs_that_gave_no_figure():
    found = report({"desk": figures(50.0)}, Spread((39.0,)), [])
    found["fixed_job"]["failed_runs"] = 2
    assert "  desk: 2 further runs gave no figure" in printed(found, 80)
