"""A role that hangs at its first batch with records: ``python stuck_role.py ROLE await|block``.

``await`` waits for what never comes while the loop goes on; ``block`` never gives the loop back.
"""

import asyncio
import sys
import time
from typing import Any

from streams.archiver.archiver import Archiver
from streams.intake.batches import Batch
from streams.process import run
from streams.publisher.publisher import Publisher
from streams.settings import load


async def hang_for_ever() -> None:
    await asyncio.Event().wait()


def block_for_ever() -> None:
    while True:
        time.sleep(60)


def hanging(role: type[Archiver] | type[Publisher], how: str) -> Any:
    deal_with = role.process

    async def process(self: Any, batch: Batch) -> None:
        if any(part.records for part in batch):
            if how == "await":
                await hang_for_ever()
            block_for_ever()
        await deal_with(self, batch)

    return process


if __name__ == "__main__":
    name, how = sys.argv[1:]
    for role in (Archiver, Publisher):
        role.process = hanging(role, how)  # type: ignore[method-assign]
    run(name, load())
