-- Soft bounces count less as they grow old: each is worth half as much after so many days.
INSERT INTO core.suppression_event (address_key, kind, event_at, recorded_at)
SELECT
    e.address_key,
    'soft_bounces',
    :now AS event_at,
    :now AS recorded_at
FROM core.suppression_event AS e
WHERE
    e.kind = 'soft_bounce'
    AND e.address_key IN (
        SELECT b.address_key FROM core.bounce AS b
        WHERE b.mail_id = ANY(:mail_ids)
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression AS s
        WHERE s.address_key = e.address_key
    )
    AND e.event_at > COALESCE(
        (
            SELECT MAX(l.event_at) FROM core.suppression_event AS l
            WHERE l.address_key = e.address_key AND l.kind = 'lifted'
        ),
        '-infinity'
    )
GROUP BY e.address_key
HAVING
    SUM(POWER(0.5, EXTRACT(EPOCH FROM CAST(:now AS timestamptz) - e.event_at) / 86400 / :half_life_days))
    >= :enough
ORDER BY e.address_key
