INSERT INTO pii.tombstone (tombstone_key, reason, erased_at)
VALUES (:tombstone_key, :reason, :now)
ON CONFLICT (tombstone_key) DO NOTHING
