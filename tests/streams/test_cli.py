import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from streams.cli.main import AWAY, COMMANDS, FAILED, main
from streams.settings import Settings, load
from streams.stack.role_process import environment


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "200", **(env or {})}).invoke(main, list(words))


PLACES = [[], *([name] for name in COMMANDS), ["topics", "create"], ["topics", "list"]]


@pytest.mark.parametrize("words", PLACES, ids=" ".join)
def test_every_command_explains_itself(words: list[str]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0, result.output
    assert f"Usage: main {' '.join(words)}".strip() in result.output
    described = result.output.split("\n\n")[1].strip()
    assert len(described) > 20


def test_command_line_lists_every_command() -> None:
    listed = re.findall(r"^  (\w+) ", run("--help").output.split("Commands:")[1], re.MULTILINE)
    assert listed == list(COMMANDS)


MISTAKES = [
    (["decide"], "No such command"),
    (["publish"], "Missing argument"),
    (["publish", "no-such-file.jsonl"], "does not exist"),
    (["publish", "-", "--topic", "desk.journal.v1"], "is not one of"),
    (["publish", "-", "--raw"], "--raw needs --topic"),
    (["publish", "-", "--raw", "--topic", "desk.feedback.v1", "--dry-run"], "--dry-run"),
    (["simulate", "--events", "0"], "0 is not in the range"),
    (["simulate", "--rate", "0"], "0.0 is not in the range"),
    (["simulate", "--days", "3"], "--days needs --from"),
    (["simulate", "--from", "2018-08-08"], "--from needs --tickets or --transactions"),
    (["simulate", "--tickets", "pyproject.toml"], "need --from"),
    (["demo", "--from", "yesterday"], "does not match the format"),
    (["worker", "clerk"], "is not one of"),
    (["sql"], "Missing argument"),
    (["replay", "--decision", "0/1", "--sample", "3"], "neither --sample"),
    (["replay", "--sample", "0"], "0 is not in the range"),
    (["replay", "--from", "yesterday"], "is no moment"),
    (["replay", "--from", "2026-03-02", "--to", "2026-03-01T09:00Z"], "must be before"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[" ".join(w) for w, _ in MISTAKES])
def test_mistake_is_explained_without_a_traceback(words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert said in result.output
    assert "Traceback" not in result.output


def test_every_bad_variable_is_named_at_once() -> None:
    bad = {"RIVERDESK_KAFKA__SESSION_TIMEOUT_MS": "soon", "RIVERDESK_DESK__CLOCK": "sundial"}
    result = run("settings", env=bad)
    assert result.exit_code == FAILED
    assert all(name in result.output for name in bad)
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == len(bad)


def test_misspelt_variable_of_a_group_is_refused() -> None:
    result = run("settings", env={"RIVERDESK_KAFKA__BOOTSTRAPS": "broker:9092"})
    assert result.exit_code == FAILED
    assert "RIVERDESK_KAFKA__BOOTSTRAPS" in result.output


def test_absent_warehouse_is_one_line_and_asks_to_try_again() -> None:
    result = run("sql", "SELECT 1", "--port", "1")
    assert result.exit_code == AWAY
    assert len(result.output.strip().splitlines()) == 1
    assert "127.0.0.1:1" in result.output


def test_settings_show_every_variable_and_no_secret() -> None:
    secrets = {
        "RIVERDESK_MASKING_KEY": "s3cret-mask",
        "RIVERDESK_CHECKPOINT_KEY": "s3cret-seal",
        "RIVERDESK_KAFKA__SASL_PASSWORD": "s3cret-broker",
        "RIVERDESK_WAREHOUSE__PASSWORD": "s3cret-house",
    }
    result = run("settings", env={**secrets, "RIVERDESK_KAFKA__BOOTSTRAP": "broker:9092"})
    assert result.exit_code == 0
    assert "s3cret" not in result.output
    assert "broker:9092" in result.output
    for name in [*environment(load()), *secrets]:
        assert name in result.output


def test_every_secret_of_the_settings_is_typed_as_one() -> None:
    def fields(model: object, prefix: str = "") -> Iterator[tuple[str, object]]:
        for name, value in dict(model).items():  # type: ignore[call-overload]
            if hasattr(type(value), "model_fields"):
                yield from fields(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    named = [name for name, _ in fields(Settings()) if re.search("password|secret|key$", name)]
    typed = [name for name, value in fields(Settings()) if isinstance(value, SecretStr)]
    assert set(typed) <= set(named)
    assert set(named) == {
        "masking_key", "checkpoint_key", "kafka.sasl_password", "warehouse.password",
    }  # fmt: skip
