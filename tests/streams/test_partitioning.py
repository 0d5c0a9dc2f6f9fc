import pytest

from streams.partitioning import partition_for


@pytest.mark.parametrize(
    ("key", "expected"),
    [  # values of Apache Kafka's own unit test of murmur2 (UtilsTest), masked to be positive
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_partition_for_is_murmur2_as_java_does_it(key: bytes, expected: int) -> None:
    count = 2**31 - 1
    assert partition_for(key, count) == (expected & 0x7FFFFFFF) % count
