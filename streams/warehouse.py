"""The warehouse of the settings."""

from sinks.clickhouse import Warehouse
from streams.settings import WarehouseSettings


def open_warehouse(warehouse: WarehouseSettings) -> Warehouse:
    """Give a client of the warehouse; it connects at its first use."""
    return Warehouse(
        host=warehouse.host,
        port=warehouse.port,
        database=warehouse.database,
        user=warehouse.user,
        password=warehouse.password.get_secret_value(),
    )
