-- As many as like may read the source at once, but nobody is erased meanwhile.
SELECT pg_advisory_xact_lock_shared(hashtextextended('tombstones', 0))
