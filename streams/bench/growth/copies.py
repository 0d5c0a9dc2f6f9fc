"""Many copies of a small company: state for a million customers within a minute.

Whatever belongs to a customer carries :data:`streams.bench.growth.history.MARK`; copy 7 of it has
``x00007x`` there. What has no mark (the policy, the partition's sums) is there once.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from pathlib import Path
from zlib import crc32

from rocksdict import BlockBasedOptions, Options, Rdict, SstFileWriter

from streams.bench.growth.history import MARK, History
from streams.desk.database import BLOOM_BITS
from streams.desk.store import PartitionStore
from streams.intake.batches import Raw

MOST_COPIES = 100_000
SST_ENTRIES = 500_000
_SUBJECT = re.compile(rb'"(?:ticket|transaction)_id":\s*"([^"]+)"')

Item = tuple[bytes, bytes]


def mark(copy: int) -> bytes:
    """Give the mark of a copy, as wide as all others."""
    return b"x%05dx" % copy


def make_store(history: History, directory: Path, copies: int) -> None:
    """Make a store that holds the history of so many copies of its customers.

    Args:
        history: What is copied.
        directory: Of the store; must not exist.
        copies: From 1 to 100,000.
    """
    if not 1 <= copies <= MOST_COPIES:
        raise ValueError(f"{copies} copies; from 1 to {MOST_COPIES} can be told apart")
    parts = directory.with_name(f"{directory.name}.parts")
    parts.mkdir(parents=True)
    database = Rdict(str(directory), options=Options(raw_mode=True))
    try:
        files = list(_write(_copied(history.items, copies), parts))
        database.ingest_external_file(files)
    finally:
        database.close()
    shutil.rmtree(parts)
    store = PartitionStore(directory)
    store.commit(history.position)
    store.flush()
    store.close()


def spread_over(records: Iterable[Raw], copies: int) -> list[Raw]:
    """Give each event to one of the copies, evenly; what is about one subject stays together."""
    return [_given_to(raw, crc32(_subject(raw)) % copies) for raw in records]


def _given_to(raw: Raw, copy: int) -> Raw:
    to = mark(copy)
    key, value = raw.key or b"", raw.value or b""
    return raw._replace(key=key.replace(MARK, to), value=value.replace(MARK, to))


def _subject(raw: Raw) -> bytes:
    found = _SUBJECT.search(raw.value or b"")
    return found[1] if found else raw.key or b""


def _copied(items: Iterable[Item], copies: int) -> Iterator[Item]:
    """Give all items of all copies by key; items come by key, so one head's are neighbours."""
    for head, group in groupby(items, key=lambda item: item[0].partition(MARK)[0]):
        mine = list(group)
        if MARK not in mine[0][0]:
            yield from mine
            continue
        for copy in range(copies):
            to = mark(copy)
            for key, value in mine:
                yield (
                    head + to + key[len(head) + len(to) :].replace(MARK, to),
                    value.replace(MARK, to),
                )


def _write(items: Iterator[Item], directory: Path) -> Iterator[str]:
    blocks = BlockBasedOptions()
    blocks.set_bloom_filter(BLOOM_BITS, False)  # as the store writes its own files
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(blocks)
    for first in items:
        path = str(directory / f"{len(list(directory.iterdir())):05d}.sst")
        writer = SstFileWriter(options=options)
        writer.open(path)
        for key, value in chain([first], islice(items, SST_ENTRIES - 1)):
            writer[key] = value
        writer.finish()
        yield path
