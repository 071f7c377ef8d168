-- Each record's reasons; the first in the fixed order is marked, reasons of a suite's own come last.
WITH reasons AS (
    SELECT
        r.record_no,
        r.reason_code
    FROM stage.rejection AS r
    WHERE r.extract_id = :extract_id
    UNION ALL
    SELECT
        q.record_no,
        q.reason_code
    FROM pii.quarantine AS q
    WHERE q.extract_id = :extract_id
)

INSERT INTO core.rejection (period, record_no, reason_code, is_first)
SELECT
    :period,
    r.record_no,
    r.reason_code,
    row_number() OVER (PARTITION BY r.record_no ORDER BY c.rank NULLS LAST, r.reason_code) = 1
FROM reasons AS r
LEFT JOIN core.reason AS c ON r.reason_code = c.reason_code
