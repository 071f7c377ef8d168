SELECT EXISTS(
    SELECT 1 FROM pii.tombstone AS t
    WHERE t.tombstone_key = :tombstone_key
)
