"""The faults that a campaign can strike with: one place that names and describes them all."""

from typing import Literal, NamedTuple

Target = Literal["process", "group", "broker", "warehouse", "files", "traffic", "clock"]

DESK = ("desk",)
EVERYONE = ("desk", "publisher", "archiver")


class Fault(NamedTuple):
    """One kind of fault.

    Args:
        kind: Its name in plans and reports.
        summary: What happens, for people.
        target: What it strikes; decides where it can be used.
        hold_s: How long it lasts, from … to; (0, 0) where it is over at once.
        roles: Who has to recover from it.
    """

    kind: str
    summary: str
    target: Target
    hold_s: tuple[float, float]
    roles: tuple[str, ...]


FAULTS = (
    Fault("desk_killed", "kill -9 of a desk", "process", (0, 0), DESK),
    Fault("desk_terminated", "SIGTERM to a desk", "process", (0, 0), DESK),
    Fault("desk_frozen", "SIGSTOP beyond the session, then SIGCONT", "process", (8, 14), DESK),
    Fault("publisher_killed", "kill -9 of the publisher", "process", (0, 0), ("publisher",)),
    Fault("publisher_terminated", "SIGTERM to the publisher", "process", (0, 0), ("publisher",)),
    Fault("publisher_frozen", "SIGSTOP beyond the session", "process", (8, 14), ("publisher",)),
    Fault("archiver_killed", "kill -9 of the archiver", "process", (0, 0), ("archiver",)),
    Fault("archiver_terminated", "SIGTERM to the archiver", "process", (0, 0), ("archiver",)),
    Fault("archiver_frozen", "SIGSTOP beyond the session", "process", (8, 14), ("archiver",)),
    Fault("worker_added", "one more desk joins, later leaves", "group", (10, 20), DESK),
    Fault("worker_removed", "a desk leaves, later comes back", "group", (8, 15), DESK),
    Fault("broker_killed", "kill -9 of the broker", "broker", (0, 3), EVERYONE),
    Fault("broker_restarted", "the broker stopped and started", "broker", (0, 3), EVERYONE),
    Fault("broker_frozen", "SIGSTOP of the broker", "broker", (3, 12), EVERYONE),
    Fault("warehouse_killed", "kill -9 of ClickHouse", "warehouse", (0, 3), ("archiver",)),
    Fault("warehouse_restarted", "ClickHouse restarted", "warehouse", (0, 3), ("archiver",)),
    Fault("warehouse_away", "ClickHouse away for a minute", "warehouse", (60, 60), ("archiver",)),
    Fault("warehouse_read_only", "inserts refused", "warehouse", (5, 10), ("archiver",)),
    Fault("warehouse_table_missing", "a table is gone", "warehouse", (5, 10), ("archiver",)),
    Fault("checkpoints_full", "no space for checkpoints, desk killed", "files", (8, 15), DESK),
    Fault("checkpoint_corrupt", "bits flipped in checkpoints, state lost", "files", (0, 0), DESK),
    Fault("checkpoint_truncated", "checkpoints cut off, state lost", "files", (0, 0), DESK),
    Fault("state_lost", "a desk's state directory is gone", "files", (0, 0), DESK),
    Fault("poison_burst", "records that no desk can decide", "traffic", (0, 0), DESK),
    Fault("duplicate_producer", "an upstream sends again what it sent", "traffic", (0, 0), DESK),
    Fault("out_of_order_producer", "an upstream sends in any order", "traffic", (0, 0), DESK),
    Fault("clock_jump", "a desk's clock jumps and comes back", "clock", (5, 10), DESK),
)  # fmt: skip

BY_KIND = {fault.kind: fault for fault in FAULTS}
