"""`python -m sinks.embedded.server --data DIR --port P`: ClickHouse in one process.

It listens on loopback only, prints `ready PORT` when it answers, and stops on SIGTERM (or when its
standard input ends, with `--stop-with-parent`).
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from schemas.errors import MisconfiguredError
from sinks.embedded.conversation import Conversation
from sinks.embedded.engine import EngineSession, require_engine
from sinks.embedded.wire import ProtocolError

HOST: Final = "127.0.0.1"
_GRACE_S: Final = 10.0
_log = structlog.get_logger()


class Server:
    """Accepts clients, one thread each, over one engine directory.

    Args:
        data_dir: The engine's directory; one process each.
        port: 0 lets the system choose; see `self.port`.

    Raises:
        MisconfiguredError: The port is taken.
    """

    def __init__(self, data_dir: Path, port: int) -> None:
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._clients: dict[threading.Thread, socket.socket] = {}
        try:
            self._listener = socket.create_server((HOST, port), backlog=64)
        except OSError as error:
            raise MisconfiguredError(f"cannot listen on {HOST}:{port}: {error}") from error
        self.port: int = self._listener.getsockname()[1]
        # Held open so that the engine does not shut down when the last client leaves.
        self._keeper = EngineSession(data_dir)
        version = self._keeper.execute("SELECT version()", "TSVRaw").decode().split(".")
        self._version = (int(version[0]), int(version[1]), int(version[2]))

    def start(self) -> None:
        """Begin to accept clients, in a thread of its own."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed by `stop`
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            with self._lock:
                self._clients[thread] = client
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        """Serve one client; whatever it does wrong ends its own connection only."""
        try:
            with client:
                Conversation(client, self._data_dir, self._version).run()
        except ProtocolError as error:
            _log.warning("client_refused", reason=str(error))
        except (OSError, EOFError) as error:
            _log.info("client_lost", reason=str(error))
        finally:
            with self._lock:
                del self._clients[threading.current_thread()]

    def stop(self, grace_s: float = _GRACE_S) -> bool:
        """Refuse new clients, let running statements end, close the engine.

        Returns:
            False if a statement still ran after `grace_s` seconds; the engine is then left open.
        """
        # A mere close would leave the accepting thread asleep.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients = dict(self._clients)
        for client in clients.values():
            try:
                client.shutdown(socket.SHUT_RD)  # answers still go out
            except OSError:
                continue  # gone already
        deadline = time.monotonic() + grace_s
        for thread in clients:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in clients):
            return False
        self._keeper.close()
        return True


@contextmanager
def owned_directory(data_dir: Path) -> Iterator[None]:
    """Hold a directory for this process alone: two engines on one would destroy it.

    Raises:
        MisconfiguredError: Another process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "owner.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise MisconfiguredError(f"another process serves {data_dir}") from error
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="sinks.embedded.server", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the engine's directory")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--stop-with-parent", action="store_true")
    options = parser.parse_args(arguments)

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if options.stop_with_parent:
        # The parent decides when to stop, also on Ctrl-C, which reaches its whole process group.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

        def wait_for_end_of_input() -> None:
            # Not `sys.stdin`, whose lock would then be held while the interpreter ends.
            while os.read(0, 4096):
                pass
            stop.set()

        threading.Thread(target=wait_for_end_of_input, name="parent", daemon=True).start()
    else:
        signal.signal(signal.SIGINT, lambda *_: stop.set())

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        require_engine()
        with owned_directory(options.data):
            server = Server(options.data, options.port)
            server.start()
            print(f"ready {server.port}", flush=True)
            stop.wait()
            is_clean = server.stop()
            _log.info("server_stopped", clean=is_clean)
    except MisconfiguredError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not is_clean:
        # Statements that nobody was told of may be lost; waiting for them could last for ever.
        sys.stderr.flush()
        os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
