INSERT INTO pii.patron (source, source_id, patron_key, first_seen_at)
SELECT
    :source,
    r.new_source_id,
    r.patron_key,
    :now
FROM stage.record AS r
WHERE r.new_source_id IS NOT null
ORDER BY r.new_source_id
