"""Every metric that a role shows: the one place where they are named; docs/metrics.md lists them.

Times are seconds, sizes bytes, as Prometheus wants it. Counters begin at 0 with the process.
"""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]

DESK, PUBLISHER, ARCHIVER = "desk", "publisher", "archiver"
ALL = (DESK, PUBLISHER, ARCHIVER)

BATCH_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LATENCY_BOUNDS_S = (0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
TAKEOVER_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)


class Metric(NamedTuple):
    """One metric.

    Args:
        name: As Prometheus knows it; its end says the unit.
        kind: Its type.
        roles: Who shows it.
        meaning: One sentence, also its help text.
        labels: Names of its labels.
        bounds: Upper bounds of a histogram's buckets, rising, without infinity.
    """

    name: str
    kind: Kind
    roles: tuple[str, ...]
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


BUILD = Metric(
    "riverdesk_build_info",
    "gauge",
    ALL,
    "Always 1; the labels say which role, worker, version and core version run here.",
    ("role", "worker", "version", "core"),
)
READY = Metric("riverdesk_ready", "gauge", ALL, "1 while /health/ready answers 200, otherwise 0.")
STALLED = Metric(
    "riverdesk_watchdog_stalled_seconds",
    "gauge",
    ALL,
    "For how long the role has been behind without any progress or excuse; 0 while all is well.",
)
SILENT = Metric(
    "riverdesk_watchdog_silent_seconds",
    "gauge",
    ALL,
    "For how long the event loop or the thread that reads has made no turn.",
    ("thread",),
)
BROKER = Metric(
    "riverdesk_broker_available", "gauge", ALL, "1 if the broker answered when last asked, or 0."
)
ASSIGNED = Metric(
    "riverdesk_assigned_partitions",
    "gauge",
    ALL,
    "Topic partitions that the group has given to this worker.",
)
LAG = Metric(
    "riverdesk_lag_records",
    "gauge",
    ALL,
    "Records that stand in the topic and are not yet dealt with; a desk's lessons too.",
    ("topic", "partition"),
)
BATCHES = Metric("riverdesk_batches_total", "counter", ALL, "Batches with records, dealt with.")
BATCH_S = Metric(
    "riverdesk_batch_seconds",
    "histogram",
    ALL,
    "Time from the start of a batch with records to its last acknowledgement.",
    bounds=BATCH_BOUNDS_S,
)
THROWN_BACK = Metric(
    "riverdesk_batches_thrown_back_total",
    "counter",
    (DESK, PUBLISHER),
    "Batches whose acknowledgement was doubtful: begun again from the last durable state.",
)
OFFSET = Metric(
    "riverdesk_journal_offset",
    "gauge",
    (DESK, PUBLISHER),
    "Next offset of the journal: written by the desk, published by the publisher.",
    ("partition",),
)
WAITING = Metric(
    "riverdesk_waiting",
    "gauge",
    ALL,
    "1 while the role retries because a neighbour does not serve it; /health/ready says which.",
)

ENTRIES = Metric(
    "riverdesk_journal_entries_total",
    "counter",
    (DESK,),
    "Journal records acknowledged, by kind: what was decided.",
    ("kind",),
)
DEAD = Metric(
    "riverdesk_dead_letters_total",
    "counter",
    (DESK,),
    "Dead letters written, by the topic they came from and the stage that refused them.",
    ("topic", "stage"),
)
LATENCY = Metric(
    "riverdesk_latency_seconds",
    "histogram",
    (DESK,),
    "Time from the publishing of an event to the acknowledged journal record.",
    bounds=LATENCY_BOUNDS_S,
)
TAKEOVER_S = Metric(
    "riverdesk_takeover_seconds",
    "histogram",
    (DESK,),
    "Time to take one partition over: fold, claim, and lessons up to what it knows.",
    bounds=TAKEOVER_BOUNDS_S,
)
EPOCH = Metric(
    "riverdesk_partition_epoch",
    "gauge",
    (DESK,),
    "Epoch of the claim under which a partition is owned; it rises with every takeover.",
    ("partition",),
)
REVISION = Metric(
    "riverdesk_learners_revision",
    "gauge",
    (DESK,),
    "Offset in the lessons up to which the learners have learned.",
)
LESSONS = Metric(
    "riverdesk_lessons_folded_total", "counter", (DESK,), "Lessons folded into the learners."
)
CHECKPOINTS = Metric(
    "riverdesk_checkpoints_total",
    "counter",
    (DESK,),
    "Checkpoints, by what they hold (learners or state) and outcome (saved or failed).",
    ("of", "outcome"),
)
CHECKPOINT_AGE = Metric(
    "riverdesk_checkpoint_age_records",
    "gauge",
    (DESK,),
    "Lessons offsets between the newest checkpoint and the learners: what a restart folds again.",
)
POLICY = Metric(
    "riverdesk_policy_info",
    "gauge",
    (DESK,),
    "Number of owned partitions in which this policy is in force.",
    ("version", "digest"),
)
TRUSTED = Metric(
    "riverdesk_learner_trusted",
    "gauge",
    (DESK,),
    "1 while decisions rest on the learner, 0 while it is worse than its baseline.",
    ("learner",),
)
DRIFTS = Metric(
    "riverdesk_drift_signals_total",
    "counter",
    (DESK,),
    "Changes noticed in losses and inputs of the learners, over all lessons folded.",
)
REPORTED = Metric(
    "riverdesk_quality_reported_revision",
    "gauge",
    (DESK,),
    "Revision of the last report on the learners; shown by the desk that owns partition 0.",
)

OUTPUTS = Metric(
    "riverdesk_outputs_total",
    "counter",
    (PUBLISHER,),
    "Records published for people and learners, by topic.",
    ("topic",),
)
TRANSACTIONS = Metric(
    "riverdesk_transactions_total",
    "counter",
    (PUBLISHER,),
    "Kafka transactions, by outcome: committed, or aborted (then published again).",
    ("outcome",),
)

ROWS = Metric(
    "riverdesk_rows_inserted_total",
    "counter",
    (ARCHIVER,),
    "Rows that the warehouse has acknowledged, by table.",
    ("table",),
)
RANGES = Metric(
    "riverdesk_ranges_inserted_total",
    "counter",
    (ARCHIVER,),
    "Ranges of offsets inserted and noted as done.",
)
RETRIES = Metric(
    "riverdesk_warehouse_retries_total",
    "counter",
    (ARCHIVER,),
    "Times that the warehouse did not serve: the same range is tried again.",
)
WAREHOUSE = Metric(
    "riverdesk_warehouse_available",
    "gauge",
    (ARCHIVER,),
    "1 if the warehouse served when last used, or 0.",
)
BEHIND_S = Metric(
    "riverdesk_warehouse_behind_seconds",
    "gauge",
    (ARCHIVER,),
    "Age of the oldest record that was read and is not yet in the warehouse; 0 if there is none.",
)

PROCESS: tuple[Metric, ...] = (
    Metric("process_cpu_seconds_total", "counter", ALL, "CPU time, user and system."),
    Metric("process_resident_memory_bytes", "gauge", ALL, "Memory in use (RSS)."),
    Metric("process_virtual_memory_bytes", "gauge", ALL, "Address space in use."),
    Metric("process_open_fds", "gauge", ALL, "Files that the process holds open."),
    Metric("process_max_fds", "gauge", ALL, "Most files that the process may hold open."),
    Metric("process_start_time_seconds", "gauge", ALL, "When it began, as Unix time."),
)
"""Shown by the Prometheus client itself, on Linux."""

OWN: tuple[Metric, ...] = (
    BUILD,
    READY,
    WAITING,
    STALLED,
    SILENT,
    BROKER,
    ASSIGNED,
    LAG,
    BATCHES,
    BATCH_S,
    THROWN_BACK,
    OFFSET,
    ENTRIES,
    DEAD,
    LATENCY,
    TAKEOVER_S,
    EPOCH,
    REVISION,
    LESSONS,
    CHECKPOINTS,
    CHECKPOINT_AGE,
    POLICY,
    TRUSTED,
    DRIFTS,
    REPORTED,
    OUTPUTS,
    TRANSACTIONS,
    ROWS,
    RANGES,
    RETRIES,
    WAREHOUSE,
    BEHIND_S,
)
CATALOGUE: tuple[Metric, ...] = (*OWN, *PROCESS)
