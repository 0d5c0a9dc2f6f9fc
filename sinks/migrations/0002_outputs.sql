-- What the desk gave out: alerts and priorities (effects of journal records), lessons, quality.

CREATE TABLE IF NOT EXISTS {database}.alerts (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    effect_index UInt32 COMMENT 'place among the effects of the entry, from 0',
    event_id String COMMENT 'of the event that it follows from',
    occurred_at DateTime64(3, 'UTC') COMMENT 'event time',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    alert_id String COMMENT 'partition/number/index in the journal; feedback refers to it',
    tenant LowCardinality(String) COMMENT 'of the event',
    customer_id String COMMENT 'of the event',
    entity String COMMENT 'customer:, card: or terminal: and its identifier',
    transaction_id String COMMENT 'that raised it',
    severity LowCardinality(String) COMMENT 'low, medium, high or critical',
    typology LowCardinality(String) COMMENT 'what it looks like, for instance stolen_card',
    score Float64 COMMENT '0 to 1',
    score_kind LowCardinality(String) COMMENT 'risk, or anomaly until the first fraud was learned',
    percentile Float64 COMMENT 'share of recent transactions of the partition that scored lower, 0 to 1',
    amount_minor Int64 COMMENT 'minor units of the currency',
    currency LowCardinality(String) COMMENT 'ISO 4217',
    case_key String COMMENT 'alerts of one case belong to one investigation',
    dedup_key String COMMENT 'a second alert with this key repeats the first',
    open_ticket_ids Array(String) COMMENT 'open tickets of the customer',
    reason_names Array(LowCardinality(String)) COMMENT 'what made the score',
    reason_contributions Array(Float64) COMMENT 'one for each name',
    evidence_positions Array(String) COMMENT 'topic/partition/offset of supporting events',
    evidence_event_ids Array(String) COMMENT 'one for each position',
    INDEX by_alert alert_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number, effect_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.priority_changes (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    effect_index UInt32 COMMENT 'place among the effects of the entry, from 0',
    event_id String COMMENT 'of the event that it follows from; empty after a tick',
    occurred_at DateTime64(3, 'UTC') COMMENT 'event time; of a tick its own time',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record; NULL after a tick',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    change_id String COMMENT 'partition/number/index in the journal',
    tenant LowCardinality(String) COMMENT 'of the ticket',
    customer_id String COMMENT 'of the ticket',
    ticket_id String COMMENT 'whose priority changed',
    priority LowCardinality(String) COMMENT 'P1 (first) to P5',
    previous LowCardinality(String) COMMENT 'priority before; empty for the first',
    score Float64 COMMENT '0 to 100',
    impact UInt8 COMMENT 'ITIL impact, 1 (highest) to 4',
    urgency LowCardinality(String) COMMENT 'that counted: low, medium, high or critical',
    category LowCardinality(String) COMMENT 'of the ticket; may be empty',
    cause LowCardinality(String) COMMENT 'an event type, tick, override or override_expired',
    override_until Nullable(DateTime64(3, 'UTC')) COMMENT 'end of the override that decided it',
    reason_names Array(LowCardinality(String)) COMMENT 'what made the score',
    reason_contributions Array(Float64) COMMENT 'one for each name; they add up to the score',
    INDEX by_ticket ticket_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number, effect_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.lessons (
    lesson_partition UInt32 COMMENT 'partition of the lessons',
    lesson_offset UInt64 COMMENT 'offset in the lessons; learned from the revision after it on',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the lesson',
    lesson_id String COMMENT 'partition/number/index in the journal',
    task LowCardinality(String) COMMENT 'category, urgency, risk or anomaly',
    tenant LowCardinality(String) COMMENT 'of the subject',
    customer_id String COMMENT 'of the subject',
    decision_id String COMMENT 'partition/number of the decision that the label is about',
    subject_id String COMMENT 'the ticket or the transaction',
    label LowCardinality(String) COMMENT 'the class, or true and false for risk; empty if unlabelled',
    label_source LowCardinality(String) COMMENT 'who said it; implicit: nobody objected; sample: unlabelled',
    propensity Float64 COMMENT 'chance with which it was chosen, above 0 to 1',
    terminal_id String COMMENT 'of the transaction; may be empty',
    amount_minor Nullable(Int64) COMMENT 'of the transaction, minor units of its currency',
    occurred_at DateTime64(3, 'UTC') COMMENT 'event time of the subject',
    known_at DateTime64(3, 'UTC') COMMENT 'from when on the label may be used',
    corrects String COMMENT 'the lesson that it corrects; may be empty',
    scores Map(LowCardinality(String), Float64) COMMENT 'what the decision said then, by class',
    features Map(LowCardinality(String), Float64) COMMENT 'numbers that the decision was made on',
    INDEX by_subject subject_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (lesson_partition, lesson_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.quality (
    quality_partition UInt32 COMMENT 'partition of the topic',
    quality_offset UInt64 COMMENT 'offset on the topic',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the figure',
    quality_id String COMMENT 'of the figure',
    learner LowCardinality(String) COMMENT 'that it is about',
    metric LowCardinality(String) COMMENT 'accuracy, log_loss, average_precision, …',
    value Float64 COMMENT 'in the unit of the metric',
    window_count UInt64 COMMENT 'labelled lessons that it covers',
    missing_count UInt64 COMMENT 'decisions of the window without a label yet',
    revision UInt64 COMMENT 'offset reached in the lessons',
    known_at DateTime64(3, 'UTC') COMMENT 'known_at of the newest lesson covered'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (quality_partition, quality_offset)
SETTINGS non_replicated_deduplication_window = 10000;
