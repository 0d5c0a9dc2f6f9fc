"""Which partition a key belongs to: murmur2, as Java's and Python's producers do it."""

from functools import lru_cache

from kafka.partitioner.default import murmur2


@lru_cache(maxsize=131_072)
def partition_for(key: bytes, partition_count: int) -> int:
    """Give the partition of a key, 0 to ``partition_count`` - 1."""
    return int(murmur2(key) & 0x7FFFFFFF) % partition_count
