"""The door to ClickHouse: with `native` the only module that knows its driver."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from clickhouse_driver import errors as driver_errors

from schemas.errors import IncompatibleError, UnavailableError
from sinks.faults import fault_of
from sinks.native import PackingClient
from sinks.quoting import require_identifier, require_quotable, require_table

_UNAVAILABLE: Final = (
    driver_errors.NetworkError,
    driver_errors.SocketTimeoutError,
    driver_errors.UnexpectedPacketFromServerError,
    driver_errors.UnknownPacketFromServerError,
    driver_errors.ChecksumDoesntMatchError,
    driver_errors.PartiallyConsumedQueryError,
    EOFError,
    OSError,
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# What the driver raises when values do not fit their columns, depending on the column.
_UNFIT: Final = (
    driver_errors.Error, struct.error, ValueError, TypeError, AttributeError, KeyError,
    IndexError, ArithmeticError,
)  # fmt: skip


class Warehouse:
    """One connection to ClickHouse, opened when first needed and again after every failure.

    Calls from several threads are served one after the other.

    Args:
        host: Name or address of the server.
        port: Its port of the native protocol.
        database: What unqualified table names mean; it has to exist (see `create_database`).
        user: Who we are there.
        password: Never shown in a message.
        timeout_s: How long a statement may keep silent, > 0.
        connect_timeout_s: How long to wait for a connection, > 0.
        compression: Whether blocks travel as LZ4, which costs more than it saves where no network
            lies between; without a word only over one.
        secure: Whether to speak TLS.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 9000,
        database: str = "default",
        user: str = "default",
        password: str = "",
        *,
        timeout_s: float = 60.0,
        connect_timeout_s: float = 5.0,
        compression: bool | None = None,
        secure: bool = False,
    ) -> None:
        self.host = host
        self.port = port
        self.database = require_identifier(database)
        self._lock = threading.Lock()
        if compression is None:
            compression = host not in _LOOPBACK
        self._arguments: dict[str, Any] = {
            "host": host,
            "port": port,
            "user": user,
            "password": password,
            "client_name": "riverdesk",
            "connect_timeout": connect_timeout_s,
            "send_receive_timeout": timeout_s,
            "sync_request_timeout": connect_timeout_s,
            "compression": "lz4" if compression else False,
            "secure": secure,
        }
        self._client = self._new_client(database)

    def _new_client(self, database: str) -> Any:  # the driver is untyped; this class is its door
        return PackingClient(database=database, **self._arguments)

    def execute(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; none for statements without a result.

        Args:
            sql: The statement. With `params`, `%(name)s` stands for a value and `%%` for `%`.
            params: Values, quoted here: text, numbers, times, UUIDs, or lists of them.
            settings: ClickHouse settings for this statement.

        Raises:
            UnavailableError: ClickHouse cannot serve now: wait and try again.
            IncompatibleError: The statement and the tables disagree.
            MisconfiguredError: The user, the password or the database is wrong.
            ValueError: A parameter is of a type that cannot be quoted safely.
        """
        return self.table(sql, params, settings)[1]

    def table(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run one statement and return its columns' names and its rows; as `execute` otherwise."""
        for name, value in (params or {}).items():
            require_quotable(name, value)
        with self._lock, self._faults():
            answer = self._client.execute(
                sql,
                dict(params) if params is not None else None,
                with_column_types=True,
                settings=dict(settings) if settings else None,
            )
        if not isinstance(answer, tuple):  # a count of written rows
            return [], []
        rows, columns = answer
        return [name for name, _ in columns], rows

    def columns(
        self, sql: str, params: Mapping[str, object] | None = None
    ) -> dict[str, Sequence[Any]]:
        """Run one query and return its columns by name, empty ones without rows; as `execute`."""
        for name, value in (params or {}).items():
            require_quotable(name, value)
        with self._lock, self._faults():
            values, columns = self._client.execute(
                sql,
                dict(params) if params is not None else None,
                with_column_types=True,
                columnar=True,
            )
        names = [name for name, _ in columns]
        return dict(zip(names, values or [()] * len(names), strict=True))

    def insert(self, table: str, columns: Mapping[str, Sequence[object]], token: str) -> int:
        """Insert columns as one block, at most once for each token, and return the count of rows.

        An insert that raised may have happened: send the same rows again with the same token. The
        same token with *other* rows is dropped in silence, so let it tell count and content.

        Args:
            table: `table` or `database.table`.
            columns: Values by column, all of one length.
            token: Names the rows; not empty.

        Raises:
            UnavailableError: ClickHouse cannot serve now, or the table is missing.
            IncompatibleError: Values, constraints or views refuse the rows.
            MisconfiguredError: The user, the password or the database is wrong.
            ValueError: A name is no identifier, the token is empty or lengths differ.
        """
        names = ", ".join(require_identifier(name) for name in columns)
        lengths = {len(values) for values in columns.values()}
        if not token or len(lengths) != 1:
            raise ValueError(
                f"an insert into {table} needs a token and columns of one length, got "
                f"{ {name: len(values) for name, values in columns.items()} }"
            )
        (row_count,) = lengths
        if row_count == 0:
            return 0
        with self._lock, self._faults():
            self._client.execute(
                f"INSERT INTO {require_table(table)} ({names}) VALUES",
                [
                    values if isinstance(values, list | tuple) else list(values)
                    for values in columns.values()
                ],
                columnar=True,
                types_check=False,
                settings={
                    "async_insert": 0,
                    "insert_deduplicate": 1,
                    "insert_deduplication_token": token,
                    "deduplicate_blocks_in_dependent_materialized_views": 1,
                },
            )
        return row_count

    def ping(self) -> None:
        """Ask whether ClickHouse serves us.

        Raises:
            UnavailableError: It does not.
            MisconfiguredError: The user, the password or the database is wrong.
        """
        self.execute("SELECT 1")

    def create_database(self) -> None:
        """Create `database` if it is missing, over a connection that does not need it.

        Raises:
            UnavailableError: ClickHouse cannot serve now.
            MisconfiguredError: The user or the password is wrong, or may not create databases.
        """
        with self._faults():
            client = self._new_client("")
            try:
                client.execute(f"CREATE DATABASE IF NOT EXISTS {self.database}")
            finally:
                client.disconnect()

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        with self._lock:
            self._client.disconnect()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn the driver's errors into what the caller has to do; the driver has disconnected."""
        place = f"{self.host}:{self.port}"
        try:
            yield
        except driver_errors.ServerException as error:
            raise fault_of(error.code or 0, error.message or "") from error
        except _UNAVAILABLE as error:
            raise UnavailableError(f"ClickHouse at {place} is away: {error!r}") from error
        except _UNFIT as error:
            raise IncompatibleError(f"values do not fit their columns: {error!r}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
