import re
from pathlib import Path

from streams.chaos.faults import FAULTS
from streams.cli.chaos import chaos

PAGE = (Path(__file__).parents[2] / "docs" / "chaos.md").read_text()


def test_page_names_every_fault_and_no_other() -> None:
    table = PAGE.partition("## Faults")[2].partition("## The report")[0]
    named = re.findall(r"`([a-z_]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.M)))
    assert sorted(named) == sorted(fault.kind for fault in FAULTS)


def test_page_names_every_option() -> None:
    options = {name for each in chaos.params for name in each.opts}
    assert options == set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.M))
