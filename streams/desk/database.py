"""How RocksDB is opened for the state of one partition, and what it may take."""

from pathlib import Path

from rocksdict import AccessType, BlockBasedOptions, Cache, Options, Rdict

from schemas.errors import MalformedError, UnavailableError

BLOOM_BITS = 10
"""Of each key: one lookup in vain of a hundred reads a block."""
WRITE_BUFFER_BYTES = 8 * 1024 * 1024
BLOCK_CACHE_BYTES = 8 * 1024 * 1024
"""A store takes no more than two write buffers and this cache, whatever it holds."""
DAMAGED = ("Corruption", "Invalid argument", "No such file")
"""What RocksDB says of files that cannot be a store any more."""


def open_database(path: Path, *, read_only: bool) -> Rdict:
    """Open the files of a store; made if missing, unless it is only looked at.

    Raises:
        UnavailableError: another process holds them.
        MalformedError: they are damaged.
    """
    options = Options(raw_mode=True)
    options.create_if_missing(not read_only)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(BLOCK_CACHE_BYTES))
    blocks.set_bloom_filter(BLOOM_BITS, False)
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.05)
    options.set_block_based_table_factory(blocks)
    try:
        access = AccessType.read_only() if read_only else AccessType.read_write()
        return Rdict(str(path), options=options, access_type=access)
    except Exception as fault:  # rocksdict raises bare exceptions
        if any(word in str(fault) for word in DAMAGED):
            raise MalformedError(f"state store {path} is damaged: {fault}") from fault
        raise UnavailableError(f"state store {path} cannot be opened: {fault}") from fault
