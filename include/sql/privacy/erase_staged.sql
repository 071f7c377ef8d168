-- Of each extract that is kept there stays that there was a record, so that the period can be published again
-- and adds up.
WITH gone AS (
    DELETE FROM stage.patron
    WHERE source_id = :source_id
    RETURNING extract_id, record_no
)

INSERT INTO pii.quarantine (extract_id, record_no, reason_code, record)
SELECT
    g.extract_id,
    g.record_no,
    'objected',
    ''::bytea
FROM gone AS g
