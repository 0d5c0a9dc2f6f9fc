-- Every accepted record of the journal, and what was decided in it.
--
-- Rows of one journal position are equal, so ReplacingMergeTree may keep any of them; a repeated
-- insert is dropped by its token before that. Partitions are months of appended_at: it moves on with
-- the log, while occurred_at is the producers' word and could spread one insert over any number of
-- months. Nothing expires by occurred_at.

CREATE TABLE IF NOT EXISTS {database}.journal_entries (
    journal_partition UInt32 COMMENT 'partition of the journal, equal to that of the input',
    number UInt64 COMMENT 'of the entry in its partition: 1, 2, 3, … without a gap',
    tenant LowCardinality(String) COMMENT 'empty for ticks, policies and unread records',
    customer_id String COMMENT 'empty for ticks, policies and unread records',
    event_id String COMMENT 'as the producer gave it; empty if there is none',
    occurred_at Nullable(DateTime64(3, 'UTC')) COMMENT 'event time; of a tick its own time; NULL if unknown',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record; NULL for ticks and policies',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force; of the new one for kind policy',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    journal_offset UInt64 COMMENT 'of the journal record on its topic',
    epoch UInt64 COMMENT 'of the claim under which it was written',
    writer LowCardinality(String) COMMENT 'who wrote it',
    kind LowCardinality(String) COMMENT 'ticket, transaction, feedback, tick, policy, dead or duplicate',
    source_topic LowCardinality(String) COMMENT 'topic of the input record; empty for ticks and policies',
    source_partition Nullable(UInt32) COMMENT 'partition of the input record',
    source_offset Nullable(UInt64) COMMENT 'offset of the input record',
    core LowCardinality(String) COMMENT 'version of the deciding code',
    learner_digest String COMMENT 'chain digest over the lessons learned',
    effect_count UInt32 COMMENT 'outputs that follow from the record',
    first_position String COMMENT 'of the event that a duplicate repeats',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when the row came into this table',
    INDEX by_customer customer_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_event event_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number, journal_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.ticket_decisions (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    tenant LowCardinality(String) COMMENT 'of the event',
    customer_id String COMMENT 'of the event',
    event_id String COMMENT 'as the producer gave it',
    occurred_at DateTime64(3, 'UTC') COMMENT 'event time',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    type LowCardinality(String) COMMENT 'ticket.opened, ticket.message, ticket.status_changed or ticket.closed',
    ticket_id String COMMENT 'of the event',
    known Bool COMMENT 'false: about a ticket that was never opened here; nothing else was done',
    status LowCardinality(String) COMMENT 'after the event; closed ends the ticket; unknown if it is not known',
    channel LowCardinality(String) COMMENT 'where the ticket came in; may be empty',
    product LowCardinality(String) COMMENT 'may be empty',
    language LowCardinality(String) COMMENT 'BCP 47; may be empty',
    category LowCardinality(String) COMMENT 'decided from the text; empty before the first label or without text',
    category_confidence Nullable(Float64) COMMENT '0 to 1',
    urgency LowCardinality(String) COMMENT 'low, medium, high, critical or empty',
    urgency_confidence Nullable(Float64) COMMENT '0 to 1',
    urgency_source LowCardinality(String) COMMENT 'learner, rules, feedback, carried or empty',
    sentiment Nullable(Float64) COMMENT '-1 (bad) to 1 (good)',
    anger Nullable(Float64) COMMENT '0 to 1',
    reference_amount Float64 COMMENT 'money at stake of the ticket in the reference currency of the policy',
    opened_at Nullable(DateTime64(3, 'UTC')) COMMENT 'event time of the opening',
    unparked_count UInt32 COMMENT 'feedbacks that had been waiting for this decision',
    amount_minor Nullable(Int64) COMMENT 'money at stake as the event gave it, minor units',
    currency LowCardinality(String) COMMENT 'ISO 4217 of amount_minor; may be empty',
    transaction_ids Array(String) COMMENT 'transactions that the event names',
    priority LowCardinality(String) COMMENT 'of this ticket after the event, P1 to P5; empty if it is not known or closed',
    priority_score Nullable(Float64) COMMENT '0 to 100',
    impact Nullable(UInt8) COMMENT 'ITIL impact, 1 (highest) to 4',
    sla_ms Nullable(Int64) COMMENT 'working time that the agreement allows, ms',
    sla_used_ms Nullable(Int64) COMMENT 'working time used so far, ms',
    categories Map(LowCardinality(String), Float64) COMMENT 'the most probable categories and their probabilities',
    category_reason_names Array(LowCardinality(String)) COMMENT 'deciding words, rest and bias',
    category_reason_contributions Array(Float64) COMMENT 'log-odds, one for each name; they add up to the logit',
    urgency_reason_names Array(LowCardinality(String)) COMMENT 'what made the urgency',
    urgency_reason_contributions Array(Float64) COMMENT 'one for each name',
    features Map(LowCardinality(String), Float64) COMMENT 'numbers that the decision was made on; nan where one was not finite',
    INDEX by_customer customer_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_ticket ticket_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.transaction_decisions (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    tenant LowCardinality(String) COMMENT 'of the event',
    customer_id String COMMENT 'of the event',
    event_id String COMMENT 'as the producer gave it',
    occurred_at DateTime64(3, 'UTC') COMMENT 'event time',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    transaction_id String COMMENT 'of the event',
    repeated Bool COMMENT 'the same transaction was decided before, a reversal for instance',
    outcome LowCardinality(String) COMMENT 'approved, declined or reversed',
    score Float64 COMMENT '0 to 1',
    score_kind LowCardinality(String) COMMENT 'risk, or anomaly until the first fraud was learned',
    risk Nullable(Float64) COMMENT 'probability of fraud; NULL until the first fraud was learned',
    anomaly Float64 COMMENT 'rank of the unsupervised score, 0 to 1',
    percentile Float64 COMMENT 'share of recent transactions of the partition that scored lower, 0 to 1',
    reference_amount Float64 COMMENT 'in the reference currency of the policy',
    suspicious Bool COMMENT 'the open tickets of the customer were assessed anew',
    alert Bool COMMENT 'an alert went out',
    alert_id String COMMENT 'of that alert; may be empty',
    suppressed LowCardinality(String) COMMENT 'why an alert was held back: repeat, budget, reserved or empty',
    suppressed_by String COMMENT 'the alert that it repeats; may be empty',
    severity LowCardinality(String) COMMENT 'of the alert, sent or not; may be empty',
    typology LowCardinality(String) COMMENT 'of the alert, sent or not; may be empty',
    entity String COMMENT 'customer:, card: or terminal: and its identifier; may be empty',
    case_key String COMMENT 'alerts of one case belong to one investigation; may be empty',
    dedup_key String COMMENT 'a second alert with this key repeats the first; may be empty',
    budget_left Int64 COMMENT 'alerts left to the partition on the day of the event',
    reason_space LowCardinality(String) COMMENT 'in which the reasons add up to the score: log_odds or score',
    sampled Bool COMMENT 'chosen to become an implicit negative, if no label comes',
    propensity Float64 COMMENT 'the chance of that, 0 to 1',
    matures_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the label is taken to be negative',
    unparked_count UInt32 COMMENT 'feedbacks that had been waiting for this decision',
    amount_minor Int64 COMMENT 'minor units of the currency',
    currency LowCardinality(String) COMMENT 'ISO 4217',
    response_code LowCardinality(String) COMMENT 'ISO 8583 DE 39; 00 is approved',
    channel LowCardinality(String) COMMENT 'pos, ecommerce, atm, transfer, moto, recurring or wallet',
    merchant_id String COMMENT 'may be empty',
    terminal_id String COMMENT 'may be empty',
    mcc LowCardinality(String) COMMENT 'ISO 18245; may be empty',
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 of merchant or terminal; may be empty',
    region LowCardinality(String) COMMENT 'may be empty',
    device_id String COMMENT 'token; may be empty',
    card String COMMENT 'token; may be empty',
    assessed_count UInt32 COMMENT 'open tickets that were assessed anew',
    reason_names Array(LowCardinality(String)) COMMENT 'what made the score',
    reason_contributions Array(Float64) COMMENT 'one for each name',
    features Map(LowCardinality(String), Float64) COMMENT 'numbers that the decision was made on; nan where one was not finite',
    INDEX by_customer customer_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_transaction transaction_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_terminal terminal_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.feedback_decisions (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    tenant LowCardinality(String) COMMENT 'of the event',
    customer_id String COMMENT 'of the event',
    event_id String COMMENT 'as the producer gave it',
    occurred_at DateTime64(3, 'UTC') COMMENT 'when the feedback was given',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    type LowCardinality(String) COMMENT 'feedback.ticket, feedback.transaction, feedback.alert or feedback.priority_override',
    subject_kind LowCardinality(String) COMMENT 'ticket, transaction or alert',
    subject_id String COMMENT 'the ticket, the transaction or the alert',
    outcome LowCardinality(String) COMMENT 'applied, parked, unknown or ignored',
    source LowCardinality(String) COMMENT 'agent, customer, chargeback, investigation or system',
    known_at DateTime64(3, 'UTC') COMMENT 'from when on it may be used to decide',
    category LowCardinality(String) COMMENT 'the true category; may be empty',
    urgency LowCardinality(String) COMMENT 'the true urgency; may be empty',
    solution LowCardinality(String) COMMENT 'the solution that worked; may be empty',
    satisfaction Nullable(UInt8) COMMENT '1 to 5',
    is_fraud Nullable(Bool) COMMENT 'whether the transaction was fraud',
    verdict LowCardinality(String) COMMENT 'on an alert: confirmed, refuted, inconclusive or empty',
    typology LowCardinality(String) COMMENT 'of the alert, or as reported; may be empty',
    alert_id String COMMENT 'the alert concerned; may be empty',
    alert_transaction_id String COMMENT 'its transaction; may be empty',
    alert_severity LowCardinality(String) COMMENT 'its severity; may be empty',
    alert_occurred_at Nullable(DateTime64(3, 'UTC')) COMMENT 'its event time',
    override LowCardinality(String) COMMENT 'the priority that a person set; may be empty',
    override_until Nullable(DateTime64(3, 'UTC')) COMMENT 'when that ends',
    predicted LowCardinality(String) COMMENT 'the category that had been decided; may be empty',
    score Nullable(Float64) COMMENT 'the score that had been decided',
    INDEX by_customer customer_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_subject subject_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.ticks (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    tick_at DateTime64(3, 'UTC') COMMENT 'event time that the tick announced',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    done_count UInt32 COMMENT 'entries of the agenda that it handled',
    is_full Bool COMMENT 'its limit was reached: another tick follows at the same time',
    matured_count UInt32 COMMENT 'transactions that became implicit negatives',
    dropped_count UInt32 COMMENT 'feedbacks that had waited too long for their decision',
    assessed_count UInt32 COMMENT 'open tickets that were assessed anew'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS {database}.dead_letters (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    source_topic LowCardinality(String) COMMENT 'topic of the refused record',
    source_partition UInt32 COMMENT 'partition of the refused record',
    source_offset UInt64 COMMENT 'offset of the refused record',
    published_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the refused record',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the desk refused it',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    stage LowCardinality(String) COMMENT 'where it failed: decode, envelope, decide or size',
    error LowCardinality(String) COMMENT 'class of the error',
    message String COMMENT 'what was wrong, up to 500 characters; the content itself is not kept here',
    value_bytes UInt64 COMMENT 'length of the refused value'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number)
SETTINGS non_replicated_deduplication_window = 10000;
