import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.embedded.frames import pack_frames, take_frame
from sinks.embedded.wire import ProtocolError, WireReader, pack_text, pack_varint


def reader_of(data: bytes, chunk_bytes: int = 3) -> WireReader:
    stream = io.BytesIO(data)
    return WireReader(lambda: stream.read(chunk_bytes))


@given(st.integers(0, (1 << 64) - 1))
def test_varint_inverts_pack(value: int) -> None:
    assert reader_of(pack_varint(value)).varint() == value


@given(st.binary(max_size=400), st.integers(1, 50))
def test_text_keeps_bytes_that_are_not_utf8(body: bytes, chunk_bytes: int) -> None:
    text = body.decode("utf-8", "surrogateescape")
    reader = reader_of(pack_text(text), chunk_bytes)
    assert reader.text() == text
    assert reader.pending_byte_count == 0


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_varint_refuses_what_does_not_fit(value: int) -> None:
    with pytest.raises(ValueError, match="varint"):
        pack_varint(value)


def test_varint_longer_than_64_bits_is_refused() -> None:
    with pytest.raises(ProtocolError):
        reader_of(b"\xff" * 12).varint()
    with pytest.raises(ProtocolError):
        reader_of(b"\xff" * 9 + b"\x7f").varint()


def test_reader_tells_the_end_from_a_promise_too_big() -> None:
    with pytest.raises(EOFError):
        reader_of(b"abc").take(4)
    with pytest.raises(ProtocolError):
        reader_of(pack_varint(1 << 40)).text()


@given(st.binary(max_size=5000))
def test_frames_invert_pack(body: bytes) -> None:
    reader = reader_of(pack_frames(body), 1000)
    parts = b""
    while len(parts) < len(body):
        parts += take_frame(reader)
    assert parts == body


def test_frames_hold_at_most_a_mebibyte_each() -> None:
    body = bytes(range(256)) * 10_000

    def frames() -> Iterator[bytes]:
        reader, left = reader_of(pack_frames(body), 1 << 20), len(body)
        while left:
            frame = take_frame(reader)
            left -= len(frame)
            yield frame

    assert [len(frame) for frame in frames()] == [1 << 20, 1 << 20, len(body) - (2 << 20)]


@given(st.integers(0, 60), st.integers(1, 255))
def test_frame_with_a_changed_byte_is_refused(position: int, change: int) -> None:
    packed = bytearray(pack_frames(bytes(range(64))))
    packed[position] ^= change
    with pytest.raises((ProtocolError, EOFError)):
        take_frame(reader_of(bytes(packed), 1000))
