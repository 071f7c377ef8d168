SELECT
    k.source AS library_system,
    k.source_id AS library_id,
    k.patron_key AS key_that_stands_for_the_id,
    k.first_seen_at
FROM pii.patron AS k
WHERE k.source = :source AND k.source_id = :source_id
