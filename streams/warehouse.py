"""The warehouse of the settings."""

import time
from collections.abc import Callable
from typing import TypeVar

from schemas.errors import UnavailableError
from sinks.clickhouse import Warehouse
from streams.settings import WarehouseSettings

T = TypeVar("T")
TRIES = 5


def open_warehouse(warehouse: WarehouseSettings) -> Warehouse:
    """Give a client of the warehouse; it connects at its first use."""
    return Warehouse(
        host=warehouse.host,
        port=warehouse.port,
        database=warehouse.database,
        user=warehouse.user,
        password=warehouse.password.get_secret_value(),
    )


def patiently(ask: Callable[[], T]) -> T:
    """Ask again where the warehouse cannot answer just now (a merge took a file away), 5 times.

    Raises:
        UnavailableError: it does not answer.
    """
    for _ in range(TRIES):
        try:
            return ask()
        except UnavailableError as fault:
            time.sleep(fault.retry_after_s)
    return ask()
