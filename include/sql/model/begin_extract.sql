INSERT INTO ops.extract
(
    source, period, as_of_at, as_of_date, state, source_count, mapping_hash, columns, shard_count,
    reread_reason, reread_by, started_at
)
VALUES
(
    :source, :period, :as_of_at, :as_of_date, 'reading', 0, :mapping_hash, cast(:columns AS jsonb),
    :shard_count, :reread_reason, :reread_by, :started_at
)
RETURNING extract_id
