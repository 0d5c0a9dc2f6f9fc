"""The contract for other programs: a JSON Schema for each topic and one AsyncAPI 3 document.

``python -m schemas.export [DIR]`` writes them (default ``docs/contracts``); a test says when the
committed ones are out of date.
"""

import sys
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.codec import encode_pretty
from schemas.registry import DEAD, INPUTS, POLICIES, TOPICS, Topic

VERSION: Final = "1.2.0"
"""Of the contract: a new field raises the second part, a breaking change makes new topics."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODELS: Final = "#/components/schemas/"
_CLOUD_EVENTS: Final[dict[str, str]] = {
    "ce_id": "as event_id",
    "ce_type": "as type",
    "ce_source": "who published it",
    "ce_time": "as occurred_at",
}


def json_schema(topic: Topic) -> dict[str, Any]:
    """Give the JSON Schema of a topic's values (of a dead letter's headers)."""
    schema = topic.schema.json_schema()
    what = "headers" if topic in DEAD else "value"
    return {
        "$schema": DIALECT,
        "$id": f"urn:riverdesk:{topic.name}",
        **schema,
        "title": f"{topic.name}: {what}",
        "description": topic.summary,
    }


def asyncapi() -> dict[str, Any]:
    """Give the AsyncAPI 3 document of all topics, from Riverdesk's point of view."""
    by_topic, models = TypeAdapter.json_schemas(
        [(topic.name, "validation", topic.schema) for topic in TOPICS],
        ref_template=_MODELS + "{model}",
    )
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic in TOPICS:
        made = _messages(topic, by_topic[(topic.name, "validation")])
        messages.update(made)
        channels[topic.name] = _channel(topic, list(made))
        action = "receive" if topic in (*INPUTS, POLICIES) else "send"
        operations[f"{action}.{topic.name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "summary": topic.summary,
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Riverdesk",
            "version": VERSION,
            "description": "Streaming triage of support tickets and payment transactions.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": models["$defs"]},
    }


def _messages(topic: Topic, schema: dict[str, Any]) -> dict[str, Any]:
    """Give a topic's messages by name: one for each kind of value."""
    key = {
        "type": "string",
        "description": f"{topic.key}, UTF-8, murmur2" if topic.key else "none",
    }
    shared: dict[str, Any] = {"bindings": {"kafka": {"key": key}}} if topic.key else {}
    if topic in DEAD:
        body = {"headers": schema, "payload": {"description": "the original bytes"}, **shared}
        return {f"DeadLetter.{topic.name}": {"contentType": "application/octet-stream", **body}}
    if topic in INPUTS:
        headers = {
            name: {"type": "string", "description": text} for name, text in _CLOUD_EVENTS.items()
        }
        shared["headers"] = {"type": "object", "properties": headers}
    kinds: list[dict[str, Any]] = schema.get("oneOf", [schema])
    return {kind["$ref"].removeprefix(_MODELS): {"payload": kind, **shared} for kind in kinds}


def _channel(topic: Topic, messages: list[str]) -> dict[str, Any]:
    configuration = {
        "cleanup.policy": [topic.cleanup],
        "retention.ms": topic.retention_ms,
        "max.message.bytes": topic.max_message_bytes,
    }
    kafka: dict[str, Any] = {"topicConfiguration": configuration, "bindingVersion": "0.5.0"}
    if isinstance(topic.partitions, int):
        kafka["partitions"] = topic.partitions
    return {
        "address": topic.name,
        "description": topic.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": kafka},
    }


def documents() -> dict[str, dict[str, Any]]:
    """Give all documents by file name."""
    schemas = {f"{topic.name}.schema.json": json_schema(topic) for topic in TOPICS}
    return {**schemas, "asyncapi.json": asyncapi()}


def write(directory: Path) -> list[Path]:
    """Write all documents and give their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, document in documents().items():
        path = directory / name
        path.write_bytes(encode_pretty(document))
        paths.append(path)
    return paths


if __name__ == "__main__":
    for written in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/contracts")):
        print(written)
