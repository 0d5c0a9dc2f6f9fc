"""What a decision may look at: state, learners, policy, stamp; and how it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from models.learning import Learners
from models.policy import Policy
from models.state import Room, Stamp, State, Value
from models.version import CORE_VERSION
from schemas.journal import EventKind, Source

Draft = dict[str, Any]
"""A journal record without v, epoch, writer and number."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything around one decision; all of it is read only."""

    state: State
    learners: Learners
    policy: Policy
    stamp: Stamp

    def recall(self, room: Room, key: str, now_ms: int) -> Value | None:
        """Give a remembered value, or ``None`` once it is older than the policy remembers."""
        value = self.state.get(room, key)
        if value is None or now_ms - value["at_ms"] > self.policy.remember_ms:
            return None
        return value

    def draft(
        self,
        kind: EventKind,
        event: Mapping[str, Any],
        occurred_ms: int,
        source: Source,
        features: Mapping[str, float],
        decision: Mapping[str, Any],
        effects: list[Any],
    ) -> Draft:
        """Write down a decision about an event."""
        return {
            "kind": kind,
            **self.versions(),
            "source": dict(source),
            "tenant": event["tenant"],
            "customer_id": event["customer_id"],
            "event_id": event["event_id"],
            "occurred_ms": occurred_ms,
            "event": event,
            "features": features,
            "decision": decision,
            "effects": effects,
            "decided_ms": self.stamp.decided_ms,
        }

    def versions(self) -> dict[str, Any]:
        """Name what a decision rests on: core, policy, learners."""
        return {
            "core": CORE_VERSION,
            "policy": self.policy.digest,
            "learner": {"revision": self.learners.revision, "digest": self.learners.digest},
        }


def place(tenant: str, name: str) -> str:
    """Give the key of a customer, ticket or event id within its room.

    >>> place("a/b", "c") == place("a", "b/c")
    False
    """
    return f"{tenant if tenant.isalnum() else quote(tenant, safe='')}/{name}"


def split_place(key: str) -> tuple[str, str]:
    """Give tenant and name back.

    >>> split_place(place("a/b", "c/d"))
    ('a/b', 'c/d')
    """
    tenant, name = key.split("/", 1)
    return unquote(tenant), name


def subject_place(kind: str, tenant: str, subject_id: str) -> str:
    """Give the key of a subject in the rooms ``remembered`` and ``parked``."""
    return f"{kind}/{place(tenant, subject_id)}"
