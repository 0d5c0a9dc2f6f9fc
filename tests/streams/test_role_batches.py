import asyncio

import faust

from streams.intake.batches import Batch
from streams.role import Batches


async def test_batches_stay_when_fausts_own_consumer_rebalances() -> None:
    app = faust.App("test-batches", broker="kafka://127.0.0.1:1", store="memory://")
    batches = Batches(app)
    batch: Batch = []
    app.flow_control.resume()
    await batches.queue.put(batch)
    app.flow_control.suspend()  # what Faust does at a revocation …
    app.flow_control.clear()
    app.flow_control.resume()  # … and behind it
    assert await asyncio.wait_for(batches.queue.get(), 5.0) is batch


async def test_batches_flow_before_faust_has_partitions() -> None:
    app = faust.App("test-batches", broker="kafka://127.0.0.1:1", store="memory://")
    batches = Batches(app)
    batch: Batch = []
    await asyncio.wait_for(batches.queue.put(batch), 5.0)
    assert await asyncio.wait_for(batches.queue.get(), 5.0) is batch
