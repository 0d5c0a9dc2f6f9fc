-- Tickets: what the desk answers for, mood, and what people are asked.

ALTER TABLE {database}.ticket_decisions
    ADD COLUMN IF NOT EXISTS category_threshold Nullable(Float64) COMMENT 'the confidence from which on the category is answered for' AFTER category_confidence,
    ADD COLUMN IF NOT EXISTS abstained Bool COMMENT 'the confidence is below it: the category is only a guess' AFTER category_threshold,
    ADD COLUMN IF NOT EXISTS mood LowCardinality(String) COMMENT 'angry, unhappy, neutral, pleased or empty' AFTER urgency_source,
    ADD COLUMN IF NOT EXISTS mood_confidence Nullable(Float64) COMMENT '0 to 1' AFTER mood,
    ADD COLUMN IF NOT EXISTS mood_source LowCardinality(String) COMMENT 'learner, rules, carried or empty' AFTER mood_confidence,
    ADD COLUMN IF NOT EXISTS mood_reason_names Array(LowCardinality(String)) COMMENT 'what made the mood' AFTER urgency_reason_contributions,
    ADD COLUMN IF NOT EXISTS mood_reason_contributions Array(Float64) COMMENT 'one for each name' AFTER mood_reason_names,
    ADD COLUMN IF NOT EXISTS asked Bool COMMENT 'a question about it went out' AFTER unparked_count,
    ADD COLUMN IF NOT EXISTS ask_propensity Nullable(Float64) COMMENT 'the chance of that; NULL where there was nothing to ask' AFTER asked,
    ADD COLUMN IF NOT EXISTS ask_share Nullable(Float64) COMMENT 'the share of the tickets that the policy asked about' AFTER ask_propensity;

ALTER TABLE {database}.feedback_decisions
    ADD COLUMN IF NOT EXISTS mood LowCardinality(String) COMMENT 'as found; may be empty' AFTER urgency;

ALTER TABLE {database}.priority_changes
    ADD COLUMN IF NOT EXISTS abstained Bool COMMENT 'the category is only a guess' AFTER category;

ALTER TABLE {database}.lessons
    ADD COLUMN IF NOT EXISTS asked Bool COMMENT 'the desk had asked about it' AFTER propensity,
    COMMENT COLUMN IF EXISTS task 'category, urgency, mood, risk or anomaly';

CREATE TABLE IF NOT EXISTS {database}.questions (
    journal_partition UInt32 COMMENT 'partition of the journal',
    number UInt64 COMMENT 'of the entry in its partition',
    effect_index UInt32 COMMENT 'place among the effects of the entry, from 0',
    event_id String COMMENT 'of the event that opened the ticket',
    occurred_at DateTime64(3, 'UTC') COMMENT 'event time',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Kafka timestamp of the input record',
    decided_at DateTime64(3, 'UTC') COMMENT 'when the desk decided',
    appended_at DateTime64(3, 'UTC') COMMENT 'Kafka timestamp of the journal record',
    policy LowCardinality(String) COMMENT 'digest of the policy in force',
    revision Nullable(UInt64) COMMENT 'lessons below this offset were learned',
    question_id String COMMENT 'partition/number/index in the journal',
    tenant LowCardinality(String) COMMENT 'of the ticket',
    customer_id String COMMENT 'of the ticket',
    ticket_id String COMMENT 'that somebody should say something about',
    task LowCardinality(String) COMMENT 'what is asked: category',
    propensity Float64 COMMENT 'the chance with which just this ticket was asked about, above 0 to 1',
    reason LowCardinality(String) COMMENT 'uncertain, exploration or random',
    language LowCardinality(String) COMMENT 'BCP 47; may be empty',
    categories Map(LowCardinality(String), Float64) COMMENT 'the most probable categories and their probabilities',
    INDEX by_ticket ticket_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (journal_partition, number, effect_index)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE OR REPLACE VIEW {database}.asking_daily AS
SELECT
    tickets.tenant AS tenant,
    tickets.day AS day,
    tickets.candidate_count AS candidate_count,
    tickets.asked_count AS asked_count,
    tickets.budget AS budget,
    asked_count / candidate_count AS asked_share,
    labels.answered_count AS answered_count,
    if(answered_count = 0, NULL, labels.right_weight / labels.weight) AS accuracy,
    if(answered_count = 0, NULL, labels.right_count / answered_count) AS asked_accuracy
FROM
(
    SELECT
        tenant,
        toDate(occurred_at) AS day,
        count() AS candidate_count,
        countIf(asked) AS asked_count,
        avg(ask_share) AS budget
    FROM {database}.ticket_decisions FINAL
    WHERE ask_propensity IS NOT NULL
    GROUP BY tenant, day
) AS tickets
LEFT JOIN
(
    SELECT
        tenant,
        toDate(occurred_at) AS day,
        count() AS answered_count,
        countIf(guess = label) AS right_count,
        sum(1 / propensity) AS weight,
        sumIf(1 / propensity, guess = label) AS right_weight
    FROM
    (
        SELECT
            tenant,
            occurred_at,
            label,
            propensity,
            arrayElement(arrayReverseSort((name, score) -> (score, name), mapKeys(scores), mapValues(scores)), 1) AS guess
        FROM {database}.lessons FINAL
        WHERE task = 'category' AND asked AND label != '' AND corrects = ''
    )
    GROUP BY tenant, day
) AS labels ON tickets.tenant = labels.tenant AND tickets.day = labels.day
ORDER BY day, tenant
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {database}.learner_quality AS
SELECT
    task,
    toDate(known_at) AS day,
    count() AS lesson_count,
    countIf(label != '') AS labelled_count,
    countIf(corrects != '') AS correction_count,
    countIf(label != '' AND guess != '') AS guessed_count,
    if(guessed_count = 0 OR task NOT IN ('category', 'urgency', 'mood'), NULL, countIf(guess = label) / guessed_count) AS accuracy
FROM
(
    SELECT
        task,
        known_at,
        label,
        corrects,
        arrayElement(arrayReverseSort((name, score) -> (score, name), mapKeys(scores), mapValues(scores)), 1) AS guess
    FROM {database}.lessons FINAL
)
GROUP BY task, day
ORDER BY day, task;
