"""No container engine runs here: names and numbers in docker/ are checked against the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.cli.main import main
from streams.roles import ROLES
from streams.settings import Settings
from streams.stack.role_process import environment

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = {
    name: each for name, each in SERVICES.items() if each.get("command", [""])[0] == "worker"
}
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def variables() -> set[str]:
    """Every variable that the settings know, those without a default value too."""
    secrets = {
        "checkpoint_key": "x",
        "kafka": {"sasl_password": "x", "sasl_username": "x", "sasl_mechanism": "PLAIN"},
    }
    return set(environment(Settings.model_validate(secrets)))


def settings_of(service: str) -> Settings:
    """The settings that a service of the compose file ends up with."""
    given: dict[str, Any] = {}
    for name, value in SERVICES[service]["environment"].items():
        *groups, field = name.removeprefix("RIVERDESK_").lower().split("__")
        place = given
        for group in groups:
            place = place.setdefault(group, {})
        place[field] = value
    return Settings.model_validate(given)


def test_every_variable_is_one_of_the_settings() -> None:
    text = DOCKERFILE + (ROOT / "docker" / "compose.yaml").read_text()
    named = set(re.findall(r"\bRIVERDESK_[A-Z_]+", text))
    assert named
    assert named <= variables()


def test_every_role_is_a_service_with_a_name_and_a_state_of_its_own() -> None:
    assert {each["command"][1] for each in WORKERS.values()} == set(ROLES)
    names = [each["command"][3] for each in WORKERS.values()]
    volumes = [volume for each in WORKERS.values() for volume in each["volumes"]]
    assert len(set(names)) == len(set(volumes)) == len(WORKERS)
    state_dir = re.search(r"RIVERDESK_STATE_DIR=(\S+)", DOCKERFILE)
    assert state_dir is not None
    for each in WORKERS.values():
        volume, path = each["volumes"][0].split(":")
        assert volume in COMPOSE["volumes"]
        assert path == state_dir[1]


def test_every_command_exists() -> None:
    assert 'ENTRYPOINT ["riverdesk"]' in DOCKERFILE
    assert "riverdesk" in PROJECT["scripts"]
    called = [each["command"] for each in WORKERS.values()]
    called += [step.split()[1:] for step in SERVICES["prepare"]["command"][0].split("&&")]
    for words in called:
        context = main.make_context("riverdesk", list(words))
        command = main.get_command(context, words[0])
        assert command is not None, words
        inner = command.make_context(words[0], list(words[1:]), parent=context)
        assert not inner.args or inner.args[0] in getattr(command, "commands", {})


@pytest.mark.parametrize("name", list(WORKERS))
def test_ports_of_a_worker_agree_with_its_settings(name: str) -> None:
    port = getattr(settings_of(name), WORKERS[name]["command"][1]).web_port
    assert WORKERS[name]["ports"][0].endswith(f":{port}")
    assert f"http://127.0.0.1:{port}/health/live'" in WORKERS[name]["healthcheck"]["test"][-1]


def test_addresses_agree_with_the_servers() -> None:
    settings = settings_of("desk")
    kafka, house = SERVICES["kafka"]["environment"], SERVICES["clickhouse"]
    assert f"INTERNAL://{settings.kafka.bootstrap}" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INTERNAL://:{settings.kafka.bootstrap.split(':')[1]}," in kafka["KAFKA_LISTENERS"]
    assert f"HOST://{Settings().kafka.bootstrap}" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.warehouse.host in SERVICES
    assert f"127.0.0.1:{settings.warehouse.port}:{settings.warehouse.port}" in house["ports"]
    assert settings.warehouse.user == house["environment"]["CLICKHOUSE_USER"]
    password = SERVICES["desk"]["environment"]["RIVERDESK_WAREHOUSE__PASSWORD"]
    assert password == house["environment"]["CLICKHOUSE_PASSWORD"]


def test_nothing_is_published_beyond_loopback() -> None:
    ports = [port for each in SERVICES.values() for port in each.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    published = [port.split(":")[1] for port in ports]
    assert len(set(published)) == len(published)


def test_broker_is_the_one_that_the_tests_run() -> None:
    pom = (ROOT / "streams" / "local_kafka" / "pom.xml").read_text()
    version = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert version is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_image_has_a_python_that_the_project_supports_and_every_package() -> None:
    versions = set(re.findall(r"^FROM python:(\d+\.\d+)-slim", DOCKERFILE, re.MULTILINE))
    assert len(versions) == 1
    assert PROJECT["requires-python"] == f">={versions.pop()}"
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert packages == set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
    ignored = (ROOT / "docker" / "Dockerfile.dockerignore").read_text()
    assert all(f"!{package}\n" in ignored for package in packages)
    assert re.search(r"^USER riverdesk$", DOCKERFILE, re.MULTILINE)
