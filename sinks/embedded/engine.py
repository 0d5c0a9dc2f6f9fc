"""The in-process ClickHouse engine: statements in, blocks of the Native format out."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from schemas.errors import MisconfiguredError
from sinks.embedded.blocks import split_blocks

UNKNOWN_SETTING: Final = 115
_UNKNOWN_EXCEPTION: Final = 1002
_INSTALL: Final = "python -m pip install 'riverdesk[embedded]'"
_CODE: Final = re.compile(r"Code: (\d+)\. DB::\w*Exception: ")
_NOT_STREAMED: Final = "Streaming query is not supported for query"
_WRAPPING: Final = "Streaming query failed: "
_SETTING_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class EngineError(Exception):
    """The engine refused or failed a statement.

    Args:
        code: ClickHouse's number for the error.
        message: ClickHouse's text, without the number.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def of(cls, error: RuntimeError) -> EngineError:
        """Read ClickHouse's number and text from what the library raised."""
        text = str(error).removeprefix(_WRAPPING)
        code = _UNKNOWN_EXCEPTION
        while match := _CODE.match(text):
            code, text = int(match[1]), text[match.end() :]
        return cls(code, text)


class EngineSession:
    """One client's view of the engine: its database, its settings. Not for two threads at once.

    Args:
        data_dir: The engine's directory; the same for all sessions of a process.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._session = self._open()
        self._settings: dict[str, str] = {}

    def _open(self) -> Any:  # the library is untyped; this class is its door
        from chdb.session import Session

        session: Any = Session(str(self._data_dir))  # type: ignore[no-untyped-call]  # untyped
        # Times without a zone are UTC here, and an insert is finished when it is acknowledged.
        session.query("SET session_timezone = 'UTC', async_insert = 0")
        return session

    def execute(self, statement: str, output_format: str = "Native") -> bytes:
        """Run a statement to its end and return its output.

        Raises:
            EngineError: It failed.
        """
        try:
            return bytes(self._session.query(statement, output_format).bytes())
        except RuntimeError as error:
            raise EngineError.of(error) from error

    def stream(self, statement: str) -> Generator[bytes, None, None]:
        """Run a statement and yield its output block by block; closing the iterator cancels it.

        Raises:
            EngineError: It failed, perhaps after some blocks.
            UnknownLayoutError: Its output has a type whose length cannot be told.
        """
        try:
            result = self._session.send_query(statement, "Native")
        except RuntimeError as error:
            if _NOT_STREAMED not in str(error):
                raise EngineError.of(error) from error
            yield from split_blocks(self.execute(statement))
            return
        finished = False
        try:
            for chunk in result:
                yield bytes(chunk.bytes())
            finished = True
        except RuntimeError as error:
            finished = True
            raise EngineError.of(error) from error
        finally:
            if not finished:
                result.cancel()

    def columns_of(self, selection: str) -> list[tuple[str, str]]:
        """Return names and types of the columns that a SELECT would give.

        Raises:
            EngineError: It is no valid SELECT.
        """
        described = self.execute(f"DESCRIBE TABLE ({selection})", "JSONCompact")
        return [(row[0], row[1]) for row in json.loads(described)["data"]]

    def use(self, database: str) -> None:
        """Make a database the one that unqualified names mean.

        Raises:
            EngineError: There is none of this name.
        """
        self.execute(f"USE {quote_identifier(database)}")

    def apply(self, settings: dict[str, str], important: frozenset[str]) -> None:
        """Let exactly these settings hold for the next statement.

        A setting the engine does not know is passed over unless it is important, as a server does.

        Raises:
            EngineError: A value is wrong, or an important setting is unknown.
        """
        if settings == self._settings:
            return
        stale = [name for name in self._settings if name not in settings]
        try:
            for name in stale:
                self.execute(f"SET {name} = DEFAULT")
        except EngineError:  # for instance after readonly=1, which cannot be taken back
            self._reopen()
        for name, value in sorted(settings.items(), key=lambda item: item[0] == "readonly"):
            if self._settings.get(name) == value:
                continue
            try:
                if not _SETTING_NAME.fullmatch(name):
                    raise EngineError(UNKNOWN_SETTING, f"{name[:100]!r} is not a setting's name")
                self.execute(f"SET {name} = {quote_text(value)}")
            except EngineError as error:
                if error.code != UNKNOWN_SETTING or name in important:
                    self._settings = {}
                    self._reopen()
                    raise
        self._settings = {n: v for n, v in settings.items() if _SETTING_NAME.fullmatch(n)}

    def _reopen(self) -> None:
        """Start with fresh settings in the same database."""
        database = json.loads(self.execute("SELECT currentDatabase()", "JSONCompact"))["data"][0][0]
        self._session.close()
        self._settings = {}
        self._session = self._open()
        self.use(database)

    def close(self) -> None:
        """End the session; the data stays."""
        self._session.close()


def quote_text(text: str) -> str:
    """Quote a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_identifier(name: str) -> str:
    """Quote a name."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def require_engine() -> None:
    """Load the engine's library, which takes about half a second.

    Raises:
        MisconfiguredError: It is not installed.
    """
    try:
        import chdb  # noqa: F401
    except ImportError as error:
        raise MisconfiguredError(
            f"the embedded ClickHouse needs the package chdb-core-lite ({error}): {_INSTALL}"
        ) from error
