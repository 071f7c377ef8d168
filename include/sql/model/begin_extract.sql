INSERT INTO ops.extract
(source, period, as_of_at, as_of_date, state, source_count, mapping_hash, started_at)
VALUES (:source, :period, :as_of_at, :as_of_date, 'reading', :source_count, :mapping_hash, :started_at)
RETURNING extract_id
