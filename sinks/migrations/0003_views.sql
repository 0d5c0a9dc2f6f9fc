-- What analysts ask. Counts are taken over distinct positions (FINAL), so repeats cannot inflate them.

CREATE OR REPLACE VIEW {database}.current_tickets AS
SELECT
    tickets.tenant AS tenant,
    tickets.ticket_id AS ticket_id,
    tickets.customer_id AS customer_id,
    priorities.priority AS priority,
    priorities.score AS score,
    priorities.impact AS impact,
    priorities.urgency AS urgency,
    tickets.status AS status,
    tickets.category AS category,
    priorities.cause AS cause,
    tickets.opened_at AS opened_at,
    if(priorities.priority = '', NULL, priorities.changed_at) AS changed_at
FROM
(
    SELECT
        tenant,
        ticket_id,
        any(ticket_decisions.customer_id) AS customer_id,
        argMaxIf(ticket_decisions.status, number, known) AS status,
        argMaxIf(ticket_decisions.category, number, known AND ticket_decisions.category != '') AS category,
        argMaxIf(ticket_decisions.opened_at, number, known) AS opened_at
    FROM {database}.ticket_decisions
    GROUP BY tenant, ticket_id
    HAVING countIf(known) > 0 AND status != 'closed'
) AS tickets
LEFT JOIN
(
    SELECT
        tenant,
        ticket_id,
        argMax((priority_changes.priority, priority_changes.score, priority_changes.impact, priority_changes.urgency, priority_changes.cause, occurred_at), (number, effect_index)) AS latest,
        latest.1 AS priority,
        latest.2 AS score,
        latest.3 AS impact,
        latest.4 AS urgency,
        latest.5 AS cause,
        latest.6 AS changed_at
    FROM {database}.priority_changes
    GROUP BY tenant, ticket_id
) AS priorities ON tickets.tenant = priorities.tenant AND tickets.ticket_id = priorities.ticket_id
ORDER BY priority, score DESC, tenant, ticket_id
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {database}.alert_precision AS
SELECT
    alerts.tenant AS tenant,
    toDate(alerts.occurred_at) AS day,
    alerts.typology AS typology,
    count() AS alert_count,
    countIf(verdicts.verdict = 'confirmed') AS confirmed_count,
    countIf(verdicts.verdict = 'refuted') AS refuted_count,
    countIf(verdicts.verdict = 'inconclusive') AS inconclusive_count,
    countIf(verdicts.verdict = '') AS open_count,
    if(confirmed_count + refuted_count = 0, NULL, confirmed_count / (confirmed_count + refuted_count)) AS precision
FROM
(
    SELECT tenant, alert_id, occurred_at, typology FROM {database}.alerts FINAL
) AS alerts
LEFT JOIN
(
    SELECT
        alert_id,
        argMax(
            multiIf(feedback_decisions.verdict != '', feedback_decisions.verdict, is_fraud = true, 'confirmed', 'refuted'),
            (known_at, number)
        ) AS verdict
    FROM {database}.feedback_decisions
    WHERE alert_id != '' AND outcome = 'applied' AND (feedback_decisions.verdict != '' OR is_fraud IS NOT NULL)
    GROUP BY alert_id
) AS verdicts ON alerts.alert_id = verdicts.alert_id
GROUP BY tenant, day, typology
ORDER BY day, typology, tenant
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {database}.kpis_hourly AS
SELECT
    hour,
    tenant,
    sumIf(n, name = 'ticket') AS ticket_event_count,
    sumIf(n, name = 'opened') AS ticket_opened_count,
    sumIf(n, name = 'closed') AS ticket_closed_count,
    sumIf(n, name = 'transaction') AS transaction_count,
    sumIf(n, name = 'declined') AS transaction_declined_count,
    sumIf(n, name = 'feedback') AS feedback_count,
    sumIf(n, name = 'alert') AS alert_count,
    sumIf(n, name = 'suppressed') AS alert_suppressed_count,
    sumIf(n, name = 'change') AS priority_change_count,
    sumIf(n, name = 'dead') AS dead_letter_count,
    sumIf(n, name = 'duplicate') AS duplicate_count
FROM
(
    SELECT toDateTime64(toStartOfHour(coalesce(occurred_at, published_at, appended_at)), 3, 'UTC') AS hour, tenant, toString(kind) AS name, count() AS n
    FROM {database}.journal_entries FINAL WHERE source_topic != '' GROUP BY hour, tenant, name
    UNION ALL
    SELECT toDateTime64(toStartOfHour(occurred_at), 3, 'UTC') AS hour, tenant, substring(type, 8) AS name, count() AS n
    FROM {database}.ticket_decisions FINAL WHERE type IN ('ticket.opened', 'ticket.closed') GROUP BY hour, tenant, name
    UNION ALL
    SELECT toDateTime64(toStartOfHour(occurred_at), 3, 'UTC') AS hour, tenant, 'declined' AS name, count() AS n
    FROM {database}.transaction_decisions FINAL WHERE outcome = 'declined' GROUP BY hour, tenant
    UNION ALL
    SELECT toDateTime64(toStartOfHour(occurred_at), 3, 'UTC') AS hour, tenant, 'suppressed' AS name, count() AS n
    FROM {database}.transaction_decisions FINAL WHERE suppressed != '' GROUP BY hour, tenant
    UNION ALL
    SELECT toDateTime64(toStartOfHour(occurred_at), 3, 'UTC') AS hour, tenant, 'alert' AS name, count() AS n
    FROM {database}.alerts FINAL GROUP BY hour, tenant
    UNION ALL
    SELECT toDateTime64(toStartOfHour(occurred_at), 3, 'UTC') AS hour, tenant, 'change' AS name, count() AS n
    FROM {database}.priority_changes FINAL GROUP BY hour, tenant
)
GROUP BY hour, tenant
ORDER BY hour, tenant;

CREATE OR REPLACE VIEW {database}.latency_quantiles AS
SELECT
    toDateTime64(toStartOfHour(appended_at), 3, 'UTC') AS hour,
    kind,
    count() AS entry_count,
    quantilesExact(0.5, 0.9, 0.99)(dateDiff('millisecond', assumeNotNull(published_at), appended_at)) AS latencies_ms,
    latencies_ms[1] AS p50_ms,
    latencies_ms[2] AS p90_ms,
    latencies_ms[3] AS p99_ms,
    max(dateDiff('millisecond', assumeNotNull(published_at), appended_at)) AS max_ms
FROM {database}.journal_entries FINAL
WHERE published_at IS NOT NULL
GROUP BY hour, kind
ORDER BY hour, kind;

CREATE OR REPLACE VIEW {database}.reconciliation AS
SELECT
    spine.topic AS topic,
    spine.partition AS partition,
    spine.first_offset AS first_offset,
    spine.last_offset AS last_offset,
    spine.in_count AS in_count,
    spine.decided_count AS decided_count,
    spine.dead_count AS dead_count,
    spine.duplicate_count AS duplicate_count,
    spine.missing_count AS missing_count,
    spine.doubled_count AS doubled_count,
    spine.repeated_row_count AS repeated_row_count,
    landed.decided_rows AS landed_decided_count,
    landed.dead_rows AS landed_dead_count,
    missing_count = 0 AND doubled_count = 0 AND in_count = decided_count + dead_count + duplicate_count
        AND landed_decided_count = decided_count AND landed_dead_count = dead_count AS agrees
FROM
(
    SELECT
        source_topic AS topic,
        assumeNotNull(source_partition) AS partition,
        assumeNotNull(min(source_offset)) AS first_offset,
        assumeNotNull(max(source_offset)) AS last_offset,
        uniqExact(source_offset) AS in_count,
        uniqExactIf(source_offset, kind IN ('ticket', 'transaction', 'feedback')) AS decided_count,
        uniqExactIf(source_offset, kind = 'dead') AS dead_count,
        uniqExactIf(source_offset, kind = 'duplicate') AS duplicate_count,
        toInt64(last_offset - first_offset + 1) - toInt64(in_count) AS missing_count,
        toInt64(uniqExact(journal_partition, journal_offset)) - toInt64(in_count) AS doubled_count,
        toInt64(count()) - toInt64(uniqExact(journal_partition, journal_offset)) AS repeated_row_count
    FROM {database}.journal_entries
    WHERE source_topic != ''
    GROUP BY topic, partition
) AS spine
LEFT JOIN
(
    SELECT topic, partition, sumIf(n, name = 'decided') AS decided_rows, sumIf(n, name = 'dead') AS dead_rows
    FROM
    (
        SELECT 'support.tickets.v1' AS topic, journal_partition AS partition, 'decided' AS name, uniqExact(number) AS n
        FROM {database}.ticket_decisions GROUP BY partition
        UNION ALL
        SELECT 'payments.transactions.v1' AS topic, journal_partition AS partition, 'decided' AS name, uniqExact(number) AS n
        FROM {database}.transaction_decisions GROUP BY partition
        UNION ALL
        SELECT 'desk.feedback.v1' AS topic, journal_partition AS partition, 'decided' AS name, uniqExact(number) AS n
        FROM {database}.feedback_decisions GROUP BY partition
        UNION ALL
        SELECT toString(source_topic) AS topic, source_partition AS partition, 'dead' AS name, uniqExact(source_offset) AS n
        FROM {database}.dead_letters GROUP BY topic, partition
    )
    GROUP BY topic, partition
) AS landed ON spine.topic = landed.topic AND spine.partition = landed.partition
ORDER BY topic, partition
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {database}.journal_continuity AS
SELECT
    journal_partition,
    max(number) AS last_number,
    uniqExact(number) AS entry_count,
    toInt64(last_number) - toInt64(entry_count) AS missing_count,
    toInt64(sum(row_count)) - toInt64(count()) AS repeated_row_count,
    toInt64(count()) - toInt64(entry_count) AS doubled_count,
    sum(effects) AS effect_count
FROM
(
    SELECT journal_partition, number, journal_offset, any(journal_entries.effect_count) AS effects, count() AS row_count
    FROM {database}.journal_entries
    GROUP BY journal_partition, number, journal_offset
)
GROUP BY journal_partition
ORDER BY journal_partition;

CREATE OR REPLACE VIEW {database}.learner_quality AS
SELECT
    task,
    toDate(known_at) AS day,
    count() AS lesson_count,
    countIf(label != '') AS labelled_count,
    countIf(corrects != '') AS correction_count,
    countIf(label != '' AND guess != '') AS guessed_count,
    if(guessed_count = 0 OR task NOT IN ('category', 'urgency'), NULL, countIf(guess = label) / guessed_count) AS accuracy
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

CREATE OR REPLACE VIEW {database}.scorecards AS
SELECT
    learner,
    metric,
    argMax(quality.value, quality_offset) AS value,
    argMax(quality.window_count, quality_offset) AS window_count,
    argMax(quality.missing_count, quality_offset) AS missing_count,
    argMax(quality.revision, quality_offset) AS revision,
    argMax(quality.known_at, quality_offset) AS known_at
FROM {database}.quality
GROUP BY learner, metric
ORDER BY learner, metric;
