"""A Kafka gateway that gives long polling to a broker which answers empty fetches at once.

Run as a process of its own: ``python gateway.py PORT UPSTREAM_PORT LOG GRACE_S COMMAND...``. It
starts the broker, listens on loopback, prints ``ready PORT`` and passes whole frames on unchanged,
with two exceptions. Addresses in metadata name the gateway instead of the broker. And a fetch
response that repeats an earlier one on its connection (nothing new) is held until something is
produced anywhere, the client asks for something else, or `HOLD_S` is over.

The process ends, and takes the broker with it, on SIGTERM, when its stdin closes (its owner is
gone) or when the broker ends. Standard library only: it is started by path.
"""

import asyncio
import contextlib
import ctypes
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

HOST = "127.0.0.1"
HOLD_S = 0.5  # what clients ask for by default (fetch.max.wait.ms)
LEAST_HOLD_S = 0.01  # bounds how often an idle consumer asks again while others produce
CONNECT_TIMEOUT_S = 30.0

_PRODUCE, _FETCH, _METADATA, _FIND_COORDINATOR, _END_TXN, _DESCRIBE_CLUSTER = 0, 1, 3, 10, 26, 60
_NAMES_ADDRESS = frozenset({_METADATA, _FIND_COORDINATOR, _DESCRIBE_CLUSTER})
_MAKES_NEWS = frozenset({_PRODUCE, _END_TXN})
_SMALL_BYTES = 16_384  # larger responses carry records; an empty one has 40 bytes a partition
_PR_SET_PDEATHSIG = 1


class News:
    """Wakes everyone who waits for the next write to any topic."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def announce(self) -> None:
        """Release all who wait now; later callers wait for the next write."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    def next(self) -> asyncio.Event:
        """The event that the next write will set."""
        return self._next


class Connection:
    """One client's connection and its twin to the broker."""

    def __init__(self, news: News, upstream_port: int, port: int) -> None:
        self._news = news
        self._upstream_port = upstream_port
        self._inner = HOST.encode() + struct.pack(">i", upstream_port)
        self._outer = HOST.encode() + struct.pack(">i", port)
        # Correlation id → what was asked and the news known then, until it is answered.
        self._open: dict[int, tuple[int, int]] = {}
        self._asked = asyncio.Event()  # the client sent a request behind the one being answered
        self._told: deque[bytes] = deque(maxlen=32)  # what fetch responses said lately

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass frames both ways until either side hangs up."""
        try:
            upstream = await asyncio.open_connection(HOST, self._upstream_port)
        except OSError:
            writer.close()
            return
        there = asyncio.create_task(self._requests(reader, upstream[1]))
        back = asyncio.create_task(self._responses(upstream[0], writer))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            for result in await asyncio.gather(there, back, return_exceptions=True):
                if isinstance(result, Exception):
                    print(f"connection ended: {result!r}", file=sys.stderr, flush=True)
            for end in (writer, upstream[1]):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (frame := await _read_frame(reader)) is not None:
            api_key, _version, correlation_id = struct.unpack_from(">hhi", frame)
            self._open[correlation_id] = (api_key, self._news.count)
            self._asked.set()
            await _write_frame(writer, frame)

    async def _responses(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (frame := await _read_frame(reader)) is not None:
            correlation_id = struct.unpack_from(">i", frame)[0]
            api_key, news_count = self._open.pop(correlation_id, (None, 0))
            if api_key == _FETCH:
                content = _regardless_of_order(frame)
                if content in self._told:
                    await self._hold(news_count)
                elif content:
                    self._told.append(content)
            elif api_key in _NAMES_ADDRESS:
                frame = frame.replace(self._inner, self._outer)  # same length, so no field moves
            elif api_key in _MAKES_NEWS:
                self._news.announce()
            await _write_frame(writer, frame)

    async def _hold(self, news_count: int) -> None:
        if self._open:  # another request already waits behind this answer
            return
        loop = asyncio.get_running_loop()
        least_until_s = loop.time() + LEAST_HOLD_S
        self._asked.clear()
        if news_count == self._news.count:  # else something was written after the question
            waits = {
                asyncio.create_task(self._news.next().wait()),
                asyncio.create_task(self._asked.wait()),
            }
            try:
                await asyncio.wait(waits, timeout=HOLD_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        if not self._asked.is_set():
            await asyncio.sleep(max(0.0, least_until_s - loop.time()))


def _regardless_of_order(frame: bytes) -> bytes:
    """A small response's bytes in sorted order: clients rotate the partitions they ask for.

    A response that carries records never repeats one: its offsets and checksums are new.
    """
    return bytes(sorted(frame[4:])) if len(frame) <= _SMALL_BYTES else b""


async def _read_frame(reader: asyncio.StreamReader) -> bytes | None:
    try:
        size = struct.unpack(">i", await reader.readexactly(4))[0]
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)
    await writer.drain()


def _die_with_parent() -> Callable[[], None] | None:
    """For the child between fork and exec: SIGKILL when the gateway is killed itself (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _until_listening(port: int, broker: subprocess.Popen[bytes]) -> None:
    deadline_s = asyncio.get_running_loop().time() + CONNECT_TIMEOUT_S
    while True:
        try:
            writer = (await asyncio.open_connection(HOST, port))[1]
        except OSError:
            if broker.poll() is not None:
                raise SystemExit(f"the broker ended with code {broker.returncode}") from None
            if asyncio.get_running_loop().time() > deadline_s:
                raise SystemExit(f"the broker opened no port in {CONNECT_TIMEOUT_S} s") from None
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


async def _run(port: int, upstream_port: int, broker: subprocess.Popen[bytes]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), stop.set)  # readable means closed: nobody writes here
    await _until_listening(upstream_port, broker)
    news = News()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(news, upstream_port, chosen_port).serve(reader, writer)

    server = await asyncio.start_server(accept, HOST, port)
    chosen_port: int = server.sockets[0].getsockname()[1]
    print(f"ready {chosen_port}", flush=True)
    while not stop.is_set() and broker.poll() is None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
    server.close()


def main(argv: list[str]) -> None:
    """Start the broker and serve until told to stop; returns when both are gone."""
    port, upstream_port, log, grace_s, *command = argv
    output: BinaryIO
    with Path(log).open("ab") as output:
        broker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent(),
        )
    try:
        asyncio.run(_run(int(port), int(upstream_port), broker))
    finally:
        broker.terminate()
        try:
            broker.wait(float(grace_s))
        except subprocess.TimeoutExpired:
            broker.kill()
            broker.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
