-- Who writes new identities does it alone, until the transaction ends: a person gets one key.
SELECT pg_advisory_xact_lock(hashtextextended('identities', 0))
