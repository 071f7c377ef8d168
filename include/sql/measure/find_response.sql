-- Which responses are known; those with an answer that was not understood are read anew: the form's YAML may
-- name it by now.
UPDATE pg_temp.read_response AS r SET
    response_id = k.response_id,
    is_written = k.has_unknown
FROM (
    SELECT
        s.response_id,
        s.response_key,
        EXISTS(
            SELECT 1 FROM core.answer AS a
            WHERE a.response_id = s.response_id AND a.option_code = 'unknown'
        ) AS has_unknown
    FROM core.response AS s
    WHERE s.campaign = :campaign
) AS k
WHERE r.response_key = k.response_key
