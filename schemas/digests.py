"""What the learners of a desk were at a revision (topic ``desk.digests.v1``, key is the worker)."""

from pydantic import TypeAdapter
from typing_extensions import TypedDict


class LearnersDigest(TypedDict):
    """One worker's learners at one revision; equal lessons and code give equal digests."""

    worker: str
    start: str
    """Names one start of the worker's process."""
    revision: int
    """Offset reached in the lessons."""
    chain: str
    """Digest chained over the lessons' bytes: what was folded."""
    content: str
    """Digest of the learners' whole content: what became of it."""
    skipped: int
    """Lessons that could not be read; chained, not learned."""
    rebuilt: bool
    """Whether this process folded every lesson itself, from the first one on; ``False`` where it
    began at a checkpoint."""
    fingerprint: str
    """Of the learners' code and configuration."""
    core: str
    """Version of the pure core."""
    platform: str
    """What computed: machine, libraries and a digest of its arithmetic. Digests are compared
    where fingerprint and platform are equal."""
    every: int
    """The worker publishes whenever the revision passes a multiple of this."""
    at_ms: int
    """When, milliseconds since the epoch."""


LEARNERS_DIGEST: TypeAdapter[LearnersDigest] = TypeAdapter(LearnersDigest)
