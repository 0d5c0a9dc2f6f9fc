"""Topics, golden examples, JSON Schemas and the committed documents agree with each other."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas.codec import decode
from schemas.export import asyncapi, documents, json_schema, write
from schemas.feedback import FEEDBACK
from schemas.registry import DEAD, INPUTS, TOPICS, Topic
from schemas.tickets import TICKET

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "schemas" / "examples"
COMMITTED = ROOT / "docs" / "contracts"

each_topic = pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)


def examples(topic: Topic) -> list[bytes]:
    return (EXAMPLES / f"{topic.name}.jsonl").read_bytes().splitlines()


@each_topic
def test_topic_has_examples_that_decode(topic: Topic) -> None:
    assert len(examples(topic)) >= 2
    for line in examples(topic):
        decode(topic.schema, line)


@each_topic
def test_topic_examples_follow_its_json_schema(topic: Topic) -> None:
    schema = json_schema(topic)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for line in examples(topic):
        validator.validate(orjson.loads(line))


def test_examples_have_no_orphan() -> None:
    named = {path.name for path in EXAMPLES.iterdir()}
    assert named == {f"{topic.name}.jsonl" for topic in TOPICS}


@pytest.mark.parametrize(
    ("adapter", "name"), [(TICKET, "support.tickets.v1"), (FEEDBACK, "desk.feedback.v1")]
)
def test_examples_show_every_kind_of_event(adapter: Any, name: str) -> None:
    kinds = set(adapter.json_schema()["discriminator"]["mapping"])
    lines = (EXAMPLES / f"{name}.jsonl").read_bytes().splitlines()
    shown = {orjson.loads(line)["type"] for line in lines}
    assert shown == kinds


def test_examples_show_every_kind_of_journal_record() -> None:
    schema = documents()["desk.journal.v1.schema.json"]
    kinds = set(schema["properties"]["kind"]["enum"])
    lines = (EXAMPLES / "desk.journal.v1.jsonl").read_bytes().splitlines()
    assert {orjson.loads(line)["kind"] for line in lines} == kinds


@pytest.mark.parametrize("topic", INPUTS, ids=lambda topic: topic.name)
def test_json_schema_refuses_an_event_without_customer(topic: Topic) -> None:
    event = orjson.loads(examples(topic)[0])
    del event["customer_id"]
    assert not Draft202012Validator(json_schema(topic)).is_valid(event)


def test_committed_documents_are_up_to_date() -> None:
    made = documents()
    assert {path.name for path in COMMITTED.iterdir()} == set(made)
    stale = [
        name for name, made_now in made.items()
        if orjson.loads((COMMITTED / name).read_bytes()) != orjson.loads(orjson.dumps(made_now))
    ]  # fmt: skip
    assert not stale, "run: python -m schemas.export docs/contracts"


def test_write_puts_every_document_into_the_directory(tmp_path: Path) -> None:
    assert sorted(path.name for path in write(tmp_path / "new")) == sorted(documents())
    for name, document in documents().items():
        assert orjson.loads((tmp_path / "new" / name).read_bytes()) == document


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    if isinstance(node, list):
        return [found for value in node for found in references(value)]
    return []


def test_asyncapi_references_all_resolve() -> None:
    document = asyncapi()
    found = references(document)
    assert found
    for reference in found:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_asyncapi_names_every_topic_with_its_configuration() -> None:
    channels = asyncapi()["channels"]
    assert set(channels) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        kafka = channels[topic.name]["bindings"]["kafka"]["topicConfiguration"]
        assert kafka["cleanup.policy"] == [topic.cleanup]
        assert kafka["retention.ms"] == topic.retention_ms


def test_dead_letter_message_describes_headers_not_payload() -> None:
    messages = asyncapi()["components"]["messages"]
    for topic in DEAD:
        message = messages[f"DeadLetter.{topic.name}"]
        assert message["headers"] == {"$ref": "#/components/schemas/DeadLetter"}
