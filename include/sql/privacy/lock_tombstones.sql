-- Who erases waits until nobody reads the source any more, and keeps others from beginning.
SELECT pg_advisory_xact_lock(hashtextextended('tombstones', 0))
