SELECT t.tombstone_key FROM pii.tombstone AS t
