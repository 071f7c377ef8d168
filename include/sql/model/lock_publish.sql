-- One check or publication of a period at a time, held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('publish ' || :period, 0))
