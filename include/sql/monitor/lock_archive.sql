-- Months may end at once; the archive is written by one of them after the other.
SELECT pg_advisory_xact_lock(hashtextextended('archive', 0))
