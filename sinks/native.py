"""The driver's client, but with columns that are packed as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clickhouse_driver import Client, defines
from clickhouse_driver.block import BlockInfo, ColumnOrientedBlock
from clickhouse_driver.columns.service import write_column
from clickhouse_driver.protocol import ClientPacketTypes
from clickhouse_driver.varint import write_varint
from clickhouse_driver.writer import write_binary_str

from sinks.packing import packer_of

_NAMES_ALONE = (TypeError, AttributeError)
"""What packers raise where values are not what the type says: the driver may know them."""


class PackingClient(Client):  # type: ignore[misc]  # the driver is untyped
    """A client that sends the columns of an insert as one block."""

    def send_data(
        self,
        sample_block: Any,
        data: Sequence[Sequence[Any]],
        types_check: bool = False,
        columnar: bool = False,
    ) -> int:
        """Send columns after the server has told their types; as the driver's own otherwise.

        Raises:
            ValueError: the lengths differ.
        """
        block = ColumnOrientedBlock(sample_block.columns_with_types, data, types_check=types_check)
        connection = self.connection
        revision = connection.server_info.used_revision
        write_varint(ClientPacketTypes.DATA, connection.fout)
        if revision >= defines.DBMS_MIN_REVISION_WITH_TEMPORARY_TABLES:
            write_binary_str("", connection.fout)
        buffer = connection.block_out.fout
        if revision >= defines.DBMS_MIN_REVISION_WITH_BLOCK_INFO:
            BlockInfo().write(buffer)
        write_varint(block.num_columns, buffer)
        write_varint(block.num_rows, buffer)
        for (name, type_name), values in zip(block.columns_with_types, data, strict=True):
            write_binary_str(name, buffer)
            write_binary_str(type_name, buffer)
            if revision >= defines.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION:
                buffer.write(b"\0")
            self._write_column(name, type_name, values, buffer)
        connection.block_out.finalize()
        self.receive_profile_events()
        connection.send_data(ColumnOrientedBlock())  # the end of the data
        self.receive_profile_events()
        return int(block.num_rows)

    def _write_column(self, name: str, type_name: str, values: Sequence[Any], buffer: Any) -> None:
        packer = packer_of(type_name)
        if packer is not None:
            try:
                packer(values, buffer)
            except _NAMES_ALONE:
                pass
            else:
                return
        write_column(self.connection.context, name, type_name, list(values), buffer)
