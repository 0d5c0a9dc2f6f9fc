"""Log lines: past-tense names, values as keywords with units, never payloads."""

import logging
import sys
from typing import Any

import structlog

from streams.settings import Settings


def configure(settings: Settings) -> None:
    """Set up structured logging to standard error; libraries speak only of errors."""
    level = logging.getLevelName(settings.log_level.upper())
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any]
    if settings.log_format == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback  # the default prints locals, and with them payloads
        last = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    logging.disable(logging.DEBUG)  # Faust builds debug records even when nobody reads them
