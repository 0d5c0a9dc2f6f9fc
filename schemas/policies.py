"""Policy updates as published by people (topic ``desk.policies.v1``, key is the policy id)."""

from typing import Any

from pydantic import Field, TypeAdapter

from schemas.base import Contract, Identifier


class PolicyUpdate(Contract):
    """A new version of a policy; ``content`` is checked by the policy's own rules."""

    policy_id: Identifier = "default"
    version: int = Field(ge=1)
    content: dict[str, Any]


POLICY_UPDATE: TypeAdapter[PolicyUpdate] = TypeAdapter(PolicyUpdate)
