"""Makes docs/performance.md from its measurements: ``python docs/figures/performance.py``.

Reads ``docs/figures/performance*.json``, which ``riverdesk bench … --json`` wrote (where two have
a key, the one without a further name counts), fills the tables of the page between its marks, and
draws the pictures (needs matplotlib: ``pip install 'riverdesk[docs]'``; ``--tables`` leaves them).
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from streams.bench.growth.plan import ASSUMED, Costs, figure, plans
from streams.bench.registry import merge

HERE = Path(__file__).parent
PAGE = HERE.parent / "performance.md"
GOOD, QUIET, OTHER, DARK = "#1f6f8b", "#b9c6cc", "#d1802f", "#60717a"
NOTHING = "*Not measured yet.*"

Report = Mapping[str, Any]

TARGETS: tuple[tuple[str, str, str, float], ...] = (
    ("fixed_job.overhead_us", "the fixed job: CPU over the floor, µs", "≤", 14.0),
    ("desk.ratio_to_core", "the real desk: CPU over its pure core", "≤", 1.35),
    ("latency.p50_ms", "published → journal at 300 events/s, p50, ms", "≤", 5.0),
    ("latency.p99_ms", "the same, p99, ms", "≤", 12.0),
    ("latency.cpu_percent", "the worker's CPU then, %", "≤", 15.0),
    ("latency_half_load.p99_ms", "p99 at half of the maximum, ms", "≤", 35.0),
    ("scale.ratio", "two workers against one", "≥", 1.8),
    ("archiver.rows_per_s", "archiver, rows/s", "≥", 30_000.0),
    ("archiver.cpu_us_per_row", "archiver, CPU a row, µs", "≤", 20.0),
    ("state.ratio_1m_to_1k", "CPU an event at 1M customers over that at 1k", "≤", 1.5),
)


def load(folder: Path = HERE) -> dict[str, Any]:
    """Give the measurements, all files as one report."""
    report: dict[str, Any] = {}
    for path in sorted(folder.glob("performance*.json")):
        report = merge(report, json.loads(path.read_text()))
    return report


def fill(page: str, report: Report) -> str:
    """Give the page with all its tables made anew; it says ``<!-- made: NAME -->`` where."""
    for name, make in TABLES.items():
        mark = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        made = make(report) or NOTHING
        page = mark.sub(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", page)
    return page


def targets(report: Report) -> str:
    """Give what was promised beside what was measured."""
    rows = []
    for path, what, sign, bound in TARGETS:
        found = figure(report, path)
        if found is not None:
            met = found <= bound if sign == "≤" else found >= bound
            rows.append([f"`{path}`", what, f"{sign} {short(bound)}", short(found), _said(met)])
    return table("key | measure | target | measured | met", rows)


NAMES = {
    "desk": "**Riverdesk's desk** (journal, RocksDB)",
    "confluent": "bare confluent-kafka loop (dict)",
    "confluent_changelog": "the same with a changelog",
    "bytewax_state": "Bytewax (SQLite)",
    "quix_state": "Quix Streams (RocksDB, changelog)",
    "faust_agent": "plain Faust agent (Table)",
}


def engines(report: Report) -> str:
    """Give what the fixed job costs on each engine, the dearest last."""
    peers = {name: each for name, each in report.get("peers", {}).items() if name in NAMES}
    found = {"desk": report.get("fixed_job", {}), **peers}
    paced = {name: each["latency"] for name, each in peers.items() if "latency" in each} | {
        "desk": report.get("latency", {}).get("fixed_job", {})
    }
    rows = [
        [
            NAMES[name], spread(each["spread"]["overhead_us"]), short(each["floor_us"]),
            short(each["scaled_us"]), f"{each['events_per_s']:,.0f}", *_paced(paced.get(name)),
        ]
        for name, each in sorted(found.items(), key=lambda one: one[1].get("scaled_us", 0.0))
        if "overhead_us" in each
    ]  # fmt: skip
    return table(
        "engine (its state) | CPU over the floor, µs | floor, µs | over a floor of 46 |"
        " events/s | p50 / p99 at 300/s, ms | CPU then, %",
        rows,
    )


def _paced(found: Mapping[str, Any] | None) -> tuple[str, str]:
    if not found:
        return "–", "–"
    return f"{short(found['p50_ms'])} / {short(found['p99_ms'])}", short(found["cpu_percent"])


def real_desk(report: Report) -> str:
    """Give what the real desk costs over its core, and how long an event takes."""
    desk, latency = report.get("desk"), report.get("latency")
    half, scale = report.get("latency_half_load"), report.get("scale")
    rows = []
    if desk:
        each = desk["spread"]
        rows += [
            ["CPU an event, µs", spread(each["cpu_us"])],
            ["the pure core on the same events and lessons, µs", spread(each["core_us"])],
            ["ratio", spread(each["ratio_to_core"], 2)],
        ]
    for found, rate in ((latency, "300 events/s"), (half, "half of the most")):
        if found:
            each = found["spread"]
            rows += [
                [f"published → journal at {rate}, p50, ms", spread(each["p50_ms"])],
                ["p99, ms", spread(each["p99_ms"])],
                ["the worker's CPU, %", spread(each["cpu_percent"])],
            ]
    if scale:
        each = scale["spread"]
        rows += [
            ["two workers against one, events/s (fixed job)", spread(each["ratio"], 2)],
            ["two copies of a pure loop against one", spread(each["machine_ratio"], 2)],
        ]
    return table("measure | figure", rows)


def roles(report: Report) -> str:
    """Give what archiver and publisher cost."""
    archiver, publisher = report.get("archiver"), report.get("publisher")
    rows = []
    if archiver:
        each = archiver["spread"]
        rows += [
            ["archiver, rows/s", spread(each["rows_per_s"])],
            ["archiver, CPU a row, µs", spread(each["cpu_us_per_row"], 1)],
            ["ClickHouse beside it, CPU a row, µs", spread(each["warehouse_cpu_us_per_row"], 1)],
            ["catching up an hour at 300 events/s, s", spread(each["hour_away_s"])],
        ]
    if publisher:
        each = publisher["spread"]
        rows += [
            ["publisher, journal records/s", spread(each["records_per_s"])],
            ["publisher, CPU a record, µs", spread(each["cpu_us_per_record"], 1)],
            ["outputs a record", spread(each["outputs_per_record"], 2)],
            ["catching up an hour at 300 events/s, s", spread(each["hour_away_s"])],
        ]
    return table("measure | figure", rows)


def customers(report: Report) -> str:
    """Give what an event costs by the number of customers."""
    rows = [
        [
            f"{each['customers']:,}", spread(each["cpu_us"]), spread(each["decide_us"]),
            spread(each["commit_us"]), short(each["get_us"]), short(each["rss_mb"]),
            f"{each['disk_mb']:,.0f}", f"{each['disk_bytes_per_customer']:,}",
        ]
        for each in _of(report, "state", "by_customers")
    ]  # fmt: skip
    return table(
        "customers | CPU an event, µs | of it deciding | committing | a customer looked up, µs |"
        " memory, MB | disk, MB | bytes a customer",
        rows,
    )


def customer_ratios(report: Report) -> str:
    """Give the ratios between the sizes."""
    state = report.get("state", {})
    rows = [
        [name.removeprefix("ratio_").replace("_", " "), spread(state[f"{name}_spread"], 2)]
        for name in state
        if name.startswith("ratio_") and not name.endswith("_spread")
    ]
    return table("CPU an event | ratio", rows)


def rooms(report: Report) -> str:
    """Give what an event leaves in the state."""
    rows = [
        [f"`{room}`", f"{size:,}"] for room, size in _of(report, "state", "state_bytes_per_event")
    ]
    return table("kept in | bytes an event, not compressed", rows)


def classes(report: Report) -> str:
    """Give what the learner of categories costs by the number of classes."""
    rows = [
        [
            f"{each['classes']:,}", spread(each["predict_us"], 0), times(each["predict_ratio"]),
            spread(each["learn_us"], 0), times(each["learn_ratio"]), spread(each["ticket_us"], 0),
            times(each["ticket_ratio"]), short(each["rss_mb"]), short(each["checkpoint_mb"]),
        ]
        for each in _of(report, "classes", "by_classes")
    ]  # fmt: skip
    return table(
        "classes | rank, µs | | learn, µs | | a ticket decided, µs | | memory, MB | checkpoint, MB",
        rows,
    )


def rules(report: Report) -> str:
    """Give what a transaction costs by the size of the policy."""
    rows = [
        [
            f"{each['signals']:,}", spread(each["cpu_us"], 0), spread(each["ratio"], 2),
            f"{each['policy_bytes']:,}",
        ]
        for each in _of(report, "rules", "by_signals")
    ]  # fmt: skip
    return table("signals | CPU a transaction, µs | over the first policy | policy, bytes", rows)


def lessons(report: Report) -> str:
    """Give what a lesson costs, by kind."""
    rows = [
        [kind, f"{each['share']:.1%}", spread(each["us"], 0)]
        for kind, each in _of(report, "lessons", "by_kind")
    ]
    if rows:
        rows.append(["all", "100.0%", spread(report["lessons"]["us"], 0)])
    return table("lesson | share | CPU, µs", rows)


def lesson_rates(report: Report) -> str:
    """Give how much of every desk lessons take."""
    found = report.get("lessons")
    if found is None:
        return ""
    cores = [
        [f"{int(rate):,}", f"{share:.1%}" if share < 1 else "more than a core"]
        for rate, share in found["share_of_core"].items()
    ]
    batch = found["batch"]
    return "\n".join(
        [
            table("lessons/s | of one core, in every desk", cores),
            "",
            f"An event makes {found['per_event']} lessons with the first policy; one core folds "
            f"{found['per_s']:,} a second. Behind a small batch `lessons_per_batch` "
            f"({batch['lessons_per_batch']}) lessons at most are folded, which holds the next one "
            f"up by {batch['pause_ms']} ms; behind the largest ({batch['batch_records']} records) "
            f"{batch['lessons_behind_largest']}, {batch['largest_pause_ms']} ms. So learning "
            f"follows up to {batch['followed_per_event']} lessons an event, also while a desk "
            "catches up; beyond that lessons wait until the load is lower.",
        ]
    )


def starting(report: Report) -> str:
    """Give starts and takeovers."""
    found = report.get("starting")
    if found is None:
        return ""
    rows = [
        [what, spread(found[name]["first_decision_s"], 1), spread(found[name]["cpu_s"], 1)]
        for name, what in (
            ("empty", "start, nothing decided yet"),
            ("filled", f"start after {found['filled']['events']:,} events, state there"),
            ("lost", f"start after {found['lost']['events']:,} events, state and checkpoints lost"),
        )
    ]
    rows += [["a second desk joins: all its partitions", spread(found["joined_s"], 1), "–"]]
    for name, what in (("sigterm", "SIGTERM"), ("sigkill", "`kill -9`")):
        rows.append([f"after {what} of one of two: the slowest partition",
                     spread(found[name]["taken_over_s"], 1), "–"])  # fmt: skip
        rows.append([f"after {what}: longest pause of the other's own partitions",
                     spread(found[name]["others_pause_s"], 1), "–"])  # fmt: skip
    return "\n".join(
        [
            table("until the first decision | s | CPU, s", rows),
            "",
            f"{found['partitions']} partitions, session timeout {found['session_timeout_s']:g} s.",
        ]
    )


def soak(report: Report) -> str:
    """Give the trends of an ageing desk."""
    found = report.get("soak")
    if found is None:
        return ""
    rows = [
        [
            what, f"{each['level']:,.4g}", f"{each['per_h']:+,.1f}",
            f"{each['percent_per_h']:+.1f} ({each['percent_per_h_low']:+.1f} … "
            f"{each['percent_per_h_high']:+.1f})",
            verdict,
        ]
        for what, each, verdict in (
            ("CPU an event, µs", found["cpu_us"], ""),
            ("the same over the fixed job's", found["cpu_over_fixed_job"], found["cpu_verdict"]),
            ("memory, MB", found["rss_mb"], found["rss_verdict"]),
        )
    ]  # fmt: skip
    return "\n".join(
        [
            table("| level | an hour | % an hour (95 %) | verdict", rows),
            "",
            f"{found['minutes']:g} minutes at {found['events_per_s']:g} events/s behind "
            f"{found['past_events']:,} events of {found['past_days']} days, "
            f"{found['customers']:,} customers, {found['lessons']:,} lessons, "
            f"{found['cpu_percent']:g} % of a core; the first {found['warm_up_minutes']:g} minutes "
            "are warm-up.",
        ]
    )


def costs(report: Report) -> str:
    """Give the costs that the plans multiply, and what they assume."""
    found = Costs.of(report)
    if found is None:
        return ""
    named = (
        ("CPU of a desk for an event, without lessons, µs", found.event_us),
        ("CPU of *each* desk for a lesson, µs", found.lesson_us),
        ("lessons an event", found.lessons_per_event),
        ("CPU of the publisher for an event, µs", found.publisher_us),
        ("rows an event", found.rows_per_event),
        ("CPU of the archiver for a row, µs", found.archiver_us),
        ("CPU of ClickHouse for a row, µs", found.warehouse_us),
        ("bytes of an event", found.event_bytes),
        ("bytes of its journal record", found.journal_bytes),
        ("bytes it leaves on the desk's disk", found.state_bytes),
    )
    rows = [[what, "measured", short(value)] for what, value in named if value is not None]
    rows += [[what, "**assumed**", short(value)] for what, value in ASSUMED.items()]
    return table("cost | | ", rows)


def growth(report: Report) -> str:
    """Give what each load takes."""
    found = Costs.of(report)
    if found is None:
        return ""
    rows = [
        [
            f"**{each.events_per_s:,}**", f"{each.desks:,}", f"{each.partitions:,}",
            f"{each.lessons_per_s:,.0f}", f"{each.taught_share:.1%}",
            f"{each.lesson_core_share:.0%}", whole(each.publishers), whole(each.archivers),
            whole(each.rows_per_s), whole(each.shards), whole(each.written_mb_per_s),
            whole(each.brokers), whole(each.journal_gb_per_day), whole(each.state_gb_per_day),
        ]
        for each in plans(found)
    ]  # fmt: skip
    return table(
        "events/s | desks | partitions | lessons/s | of those the policy would make |"
        " core of each desk for them | publishers | archivers | rows/s | ClickHouse shards |"
        " Kafka MB/s | brokers | journal GB/day | state GB/day",
        rows,
    )


def picture(key: str, name: str, shows: str) -> Callable[[Report], str]:
    """Give what shows a picture once its measurement is there."""
    return lambda report: f"![{shows}](figures/performance-{name}.svg)" if key in report else ""


TABLES: dict[str, Callable[[Report], str]] = {
    "targets": targets,
    "engines": engines,
    "real desk": real_desk,
    "roles": roles,
    "customers": customers,
    "customer ratios": customer_ratios,
    "rooms": rooms,
    "classes": classes,
    "rules": rules,
    "lessons": lessons,
    "lesson rates": lesson_rates,
    "starting": starting,
    "soak": soak,
    "costs": costs,
    "growth": growth,
    "picture of growth": picture("state", "growth", "CPU against customers, classes and signals"),
    "picture of the soak": picture("soak", "soak", "CPU an event and memory by minute"),
}


def draw_growth(report: Report, file: Path) -> None:
    """Draw CPU against customers, classes and signals, each over its least."""
    plt = _pyplot()
    figure_, axes = plt.subplots(1, 3, figsize=(9.5, 2.7), layout="constrained")
    for at, (part, rows, size, drawn) in zip(
        axes,
        (
            ("state", "by_customers", "customers", (("an event", "cpu_us", GOOD),)),
            (
                "classes", "by_classes", "classes",
                (("rank", "predict_us", GOOD), ("learn", "learn_us", OTHER),
                 ("a ticket decided", "ticket_us", DARK)),
            ),
            ("rules", "by_signals", "signals", (("a transaction", "cpu_us", GOOD),)),
        ),
        strict=True,
    ):  # fmt: skip
        found = list(_of(report, part, rows))
        for label, name, color in drawn:
            least = found[0][name]["median"] if found else 1.0
            sizes = [each[size] for each in found]
            middle = [each[name]["median"] / least for each in found]
            low = [each[name]["min"] / least for each in found]
            high = [each[name]["max"] / least for each in found]
            at.fill_between(sizes, low, high, color=color, alpha=0.15, linewidth=0)
            at.plot(sizes, middle, color=color, marker="o", markersize=3, label=label)
        at.set(xscale="log", xlabel=size, ylim=(0, None))
        at.legend(frameon=False, fontsize=7, loc="upper left")
    axes[0].set_ylabel("CPU over the least")
    _save(figure_, axes, file)


def draw_soak(report: Report, file: Path) -> None:
    """Draw CPU an event and memory by minute."""
    plt = _pyplot()
    figure_, axes = plt.subplots(1, 2, figsize=(9.5, 2.5), layout="constrained")
    looks = report["soak"]["looks"]
    minutes = [each["minute"] for each in looks]
    for at, name, label in ((axes[0], "cpu_us", "CPU an event, µs"), (axes[1], "rss_mb", "MB")):
        at.plot(minutes, [each[name] for each in looks], color=GOOD)
        at.axvspan(0, report["soak"]["warm_up_minutes"], color=QUIET, alpha=0.3, linewidth=0)
        at.set(xlabel="minute", ylabel=label, ylim=(0, None))
    _save(figure_, axes, file)


def _pyplot() -> Any:
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "riverdesk", "font.size": 9, "svg.fonttype": "none"})
    return plt


def _save(drawn: Any, all_axes: Sequence[Any], file: Path) -> None:
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
    drawn.savefig(file, metadata={"Date": None})


def _of(report: Report, part: str, name: str) -> Sequence[Any]:
    found = report.get(part, {}).get(name, [])
    return list(found.items()) if isinstance(found, Mapping) else found


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    """Give a table in Markdown; nothing without rows."""
    if not rows:
        return ""
    names = [name.strip() for name in head.split("|")][-len(rows[0]) :]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(found: Mapping[str, Any], digits: int = 0) -> str:
    """Give a median with its range."""
    return (
        f"{found['median']:,.{digits}f} ({found['min']:,.{digits}f} – {found['max']:,.{digits}f})"
    )


def short(value: float) -> str:
    """Give a figure with the digits that it is worth."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def whole(value: float | None) -> str:
    """Give a count; a dash where it was not measured."""
    return "–" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def times(value: float) -> str:
    """Give how many times as much."""
    return f"{value:.1f} ×"


def _said(held: bool) -> str:
    return "yes" if held else "**no**"


def main(words: Sequence[str]) -> None:
    """Fill the page and draw the pictures."""
    report = load()
    PAGE.write_text(fill(PAGE.read_text(), report))
    if "--tables" in words:
        return
    if "state" in report:
        draw_growth(report, HERE / "performance-growth.svg")
    if "soak" in report:
        draw_soak(report, HERE / "performance-soak.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
