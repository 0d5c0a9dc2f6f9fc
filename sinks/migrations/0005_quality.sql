-- Quality: figures by segment and maturity with their baselines, drift signals, verdicts.

ALTER TABLE {database}.quality
    ADD COLUMN IF NOT EXISTS kind LowCardinality(String) DEFAULT 'figure' COMMENT 'figure, drift or verdict' AFTER quality_id,
    ADD COLUMN IF NOT EXISTS segment LowCardinality(String) DEFAULT 'all' COMMENT 'part of the decisions as name=value, or all' AFTER metric,
    ADD COLUMN IF NOT EXISTS maturity LowCardinality(String) DEFAULT 'all' COMMENT 'time from the event to the knowledge of the label: 0-1d, 1-7d, 7d+ or all' AFTER segment,
    ADD COLUMN IF NOT EXISTS baseline Nullable(Float64) COMMENT 'what the learner has to beat; of a drift signal the mean before; of a verdict the lead over the baseline' AFTER value,
    ADD COLUMN IF NOT EXISTS core LowCardinality(String) COMMENT 'version of the core that computed it' AFTER known_at,
    COMMENT COLUMN IF EXISTS quality_id 'partition/number/index in the journal',
    COMMENT COLUMN IF EXISTS metric 'accuracy, average_precision, …; of a drift signal the value and who noticed; of a verdict trusted',
    COMMENT COLUMN IF EXISTS value 'in the unit of the metric; after a drift the mean since; of a verdict 1 or 0',
    COMMENT COLUMN IF EXISTS window_count 'labelled decisions that it rests on; what is 7 days older counts half',
    COMMENT COLUMN IF EXISTS missing_count 'decisions of the window that have no such label, as estimated',
    COMMENT COLUMN IF EXISTS known_at 'known_at of the newest lesson covered; of a drift signal, of the lesson that showed it';

CREATE OR REPLACE VIEW {database}.scorecards AS
SELECT
    learner,
    metric,
    segment,
    maturity,
    argMax(quality.value, quality_offset) AS value,
    argMax(tuple(quality.baseline), quality_offset).1 AS baseline,
    argMax(quality.window_count, quality_offset) AS window_count,
    argMax(quality.missing_count, quality_offset) AS missing_count,
    argMax(quality.revision, quality_offset) AS revision,
    argMax(quality.known_at, quality_offset) AS known_at
FROM {database}.quality
WHERE kind = 'figure'
GROUP BY learner, metric, segment, maturity
ORDER BY learner, metric, segment, maturity;

CREATE OR REPLACE VIEW {database}.drift_signals AS
SELECT
    known_at AS noticed_at,
    learner,
    splitByChar('/', toString(metric))[1] AS signal,
    splitByChar('/', toString(metric))[2] AS detector,
    baseline AS mean_before,
    quality.value AS mean_after,
    revision
FROM {database}.quality FINAL
WHERE kind = 'drift'
ORDER BY noticed_at, quality_offset;

CREATE OR REPLACE VIEW {database}.learner_trust AS
SELECT
    learner,
    argMax(quality.value, quality_offset) = 1 AS trusted,
    argMax(tuple(quality.baseline), quality_offset).1 AS lead,
    argMax(quality.window_count, quality_offset) AS label_count,
    maxIf(quality.known_at, quality.value = 0) AS last_distrusted_at,
    argMax(quality.revision, quality_offset) AS revision,
    max(quality.known_at) AS known_at
FROM {database}.quality
WHERE kind = 'verdict'
GROUP BY learner
ORDER BY learner;
