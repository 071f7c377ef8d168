-- Readings that were begun more than a day ago and never ended, unless somebody is at it right now.
WITH unfinished AS (
    SELECT e.extract_id FROM ops.extract AS e
    WHERE e.state = 'reading' AND e.started_at < cast(:now AS timestamptz) - interval '1 day'
    FOR UPDATE SKIP LOCKED
)

UPDATE ops.extract SET state = 'abandoned'
WHERE extract_id IN (SELECT u.extract_id FROM unfinished AS u)
