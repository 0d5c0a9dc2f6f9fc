"""What README and docs show runs, and what they name exists."""

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from schemas.codec import decode_json, encode
from schemas.registry import ALERTS, PRIORITIES
from streams.cli.main import main
from streams.kafka import TopicPartition, make_consumer, make_producer
from streams.stack.stack import Stack
from tests.integration.support import PARTITIONS, embedded_stack

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted(
    [README, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    + [page for folder in ("schemas", "models", "sinks", "streams", "tests")
       for page in (ROOT / folder).rglob("README.md")]
)  # fmt: skip
MARKED = re.compile(r"<!-- runs: (\w+) -->\n```python\n(.*?)```", re.DOTALL)
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FOLDER = re.compile(r"^(?:\./)?(?:schemas|models|sinks|streams|docker|tests|docs)/\S*$")
PATIENCE_S = 60.0


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def code(page: Path) -> Iterator[str]:
    """Give every line of code blocks and every piece of inline code."""
    for block, piece in CODE.findall(page.read_text()):
        yield from re.sub(r"\\\n", " ", block).splitlines() if block else [piece]


def calls(text: str, program: str) -> Iterator[list[str]]:
    """Give the words after each call of a program in a line of a shell."""
    for part in re.split(r"&&|\|\||;|\s#", text):
        if re.match(rf"\s*(?:\S+/)?{program} \S", part):
            yield shlex.split(part)[1:]


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """Give the innermost command that the words call, and the words behind its name."""
    context = click.Context(main)
    command: click.Command | None = main
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        command = command.get_command(context, rest.pop(0))
    assert command is not None, f"no such command: riverdesk {' '.join(words)}"
    return command, rest


def unknown_options(words: list[str]) -> list[str]:
    command, rest = find(words)
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    return [each for each in rest if each.startswith("--") and each.split("=")[0] not in options]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_command_exists_with_its_options(page: Path) -> None:
    for line in code(page):
        for words in calls(line, "riverdesk"):
            assert unknown_options(words) == [], line


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_make_target_exists(page: Path) -> None:
    for line in code(page):
        for words in calls(line, "make"):
            assert words[0] in targets(), line


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_path_and_named_test_exists(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), link
    for piece in code(page):
        if not FOLDER.match(piece) or any(sign in piece for sign in "<*N"):
            continue
        path, _, test = piece.partition("::")
        assert (ROOT / path).exists(), piece
        name = test.partition("[")[0]  # a case of a parametrised test
        assert not test or f"def {name}(" in (ROOT / path).read_text(), piece


def test_checks_notice_what_is_not_there() -> None:
    with pytest.raises(AssertionError):
        find(["paint"])
    assert unknown_options(["demo", "--colour", "--events", "9"]) == ["--colour"]
    assert unknown_options(["topics", "create", "--now"]) == ["--now"]
    assert list(calls("make demo && riverdesk up", "riverdesk")) == [["up"]]
    assert "paint" not in targets()


def snippet(name: str, stack: Stack) -> str:
    found = dict(MARKED.findall(README.read_text()))
    assert found[name].count("127.0.0.1:9092") == 1
    return found[name].replace("127.0.0.1:9092", stack.settings.kafka.bootstrap)


def until(ask: Callable[[], Any]) -> Any:
    """Ask until there is an answer."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError("no answer")


@pytest.mark.embedded
@pytest.mark.timeout(240)
def test_snippets_of_the_readme_run(tmp_path: Path) -> None:
    with embedded_stack(tmp_path) as stack:
        subprocess.run([sys.executable, "-c", snippet("producer", stack)], check=True)
        assert until(lambda: _changes(stack))["ticket_id"] == "t-1"

        (example, *_) = (ROOT / "schemas/examples/risk.alerts.v1.jsonl").read_bytes().splitlines()
        alert = decode_json(example)
        _publish(stack, {**alert, "score": 0.123}, commit=False)
        _publish(stack, alert, commit=True)
        printed = tmp_path / "printed"
        with printed.open("wb") as out:
            command = [sys.executable, "-c", snippet("subscriber", stack)]
            team = subprocess.Popen(command, stdout=out)
            try:
                until(lambda: printed.read_text().endswith("\n"))
            finally:
                team.kill()
                team.wait()
        for words in (each for line in code(README) for each in calls(line, "riverdesk sql")):
            run = CliRunner().invoke(main, ["sql", *words[1:], *_warehouse(stack)])
            assert run.exit_code == 0, run.output
    told = (alert[name] for name in ("severity", "typology", "entity", "score"))
    assert printed.read_text().splitlines() == [" ".join(str(each) for each in told)]


def _warehouse(stack: Stack) -> list[str]:
    warehouse = stack.settings.warehouse
    return ["--host", warehouse.host, "--port", str(warehouse.port)]


def _publish(stack: Stack, alert: dict[str, Any], *, commit: bool) -> None:
    producer = make_producer(stack.settings.kafka, transactional_id=f"test-{commit}")
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    producer.produce(ALERTS.name, value=encode(alert), key=alert["entity"].encode())
    producer.flush(PATIENCE_S)
    if commit:
        producer.commit_transaction(PATIENCE_S)
    else:
        producer.abort_transaction(PATIENCE_S)


def _changes(stack: Stack) -> Any:
    consumer = make_consumer(stack.settings.kafka, "riverdesk-test-readme")
    try:
        consumer.assign([TopicPartition(PRIORITIES.name, n, 0) for n in range(PARTITIONS)])
        messages = consumer.consume(100, 1.0)
        return next((decode_json(m.value() or b"") for m in messages if not m.error()), None)
    finally:
        consumer.close()
