-- All reasons of each rejected record, as bits of one number: that takes a single pass and little room.
WITH found AS (
    SELECT
        r.record_no,
        r.check_no
    FROM stage.rejection AS r
    WHERE r.extract_id = :extract_id
    UNION ALL
    SELECT
        q.record_no,
        -c.rank
    FROM pii.quarantine AS q
    INNER JOIN core.reason AS c ON q.reason_code = c.reason_code
    WHERE q.extract_id = :extract_id
)

SELECT
    f.record_no,
    bit_or(r.reason_bit) AS reasons
FROM found AS f
INNER JOIN stage.reason AS r ON f.check_no = r.check_no
GROUP BY f.record_no
