"""docs/operation.md tells the truth about settings, exits, topics and views."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, SecretStr

from schemas.registry import FOREVER, INPUTS, TOPICS
from streams.cli.main import AWAY, COMMANDS, FAILED
from streams.health.watchdog import STUCK
from streams.process import HALTED
from streams.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operation.md").read_text()
ROW = re.compile(r"^\| `(RIVERDESK_\w+)` \| (\S.*?) \| (\S.*) \|$", re.MULTILINE)
DAY_MS = 86_400_000


def defaults(settings: BaseModel, prefix: str = "RIVERDESK") -> Iterator[tuple[str, str]]:
    """Each variable with its default as the table shows it, in the order of the settings."""
    groups: list[tuple[str, BaseModel]] = []
    for name, value in settings:
        variable = f"{prefix}_{name.upper()}"
        if isinstance(value, BaseModel):
            groups.append((variable, value))
        elif isinstance(value, SecretStr):
            yield variable, "hidden"
        else:
            yield variable, "none" if value is None else f"`{value}`"
    for variable, group in groups:
        yield from defaults(group, f"{variable}_")


def test_table_lists_every_setting_with_its_default() -> None:
    documented = [(variable, default) for variable, default, _ in ROW.findall(TEXT)]
    assert documented == list(defaults(Settings()))


def test_every_variable_in_the_text_is_a_setting() -> None:
    named = set(re.findall(r"\bRIVERDESK_[A-Z_]+\b", TEXT))
    assert named <= {variable for variable, _ in defaults(Settings())}


def test_every_exit_status_is_explained() -> None:
    explained = {int(status) for status in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert explained == {0, FAILED, HALTED, STUCK, AWAY}


def test_every_command_in_the_text_exists() -> None:
    called = set(re.findall(r"(?:`|^)riverdesk (\w+)", TEXT, re.MULTILINE))
    assert called
    assert called <= set(COMMANDS)


def test_retention_in_the_text_is_that_of_the_topics() -> None:
    growth = TEXT.split("## What grows")[1].split("**Kafka")[0]
    rows = [line.split("|")[1:4] for line in growth.splitlines() if line.startswith("|")]
    for topic in TOPICS:
        if topic.cleanup == "compact":
            continue
        name = "`<topic>.dead`" if topic.name.endswith(".dead") else f"`{topic.name}`"
        (limit,) = (
            limit
            for what, _, limit in rows
            if name in what or (topic in INPUTS and "inputs" in what)
        )
        forever = topic.retention_ms == FOREVER
        kept = "never expires" if forever else f" {topic.retention_ms // DAY_MS} days"
        assert kept in limit, topic.name


def test_every_log_line_in_the_text_is_written_somewhere() -> None:
    lines = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TEXT))
    source = "\n".join(
        path.read_text()
        for folder in ("streams", "sinks", "schemas")
        for pattern in ("*.py", "*.sql")
        for path in (ROOT / folder).rglob(pattern)
    )
    assert {line for line in lines if not re.search(rf"\b{line}\b", source)} == set()
