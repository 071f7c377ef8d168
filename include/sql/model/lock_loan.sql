-- One reading of a source's loans at a time, held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('loan ' || :source, 0))
