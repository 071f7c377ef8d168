-- One import of a campaign's answers at a time, held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('answers ' || :campaign, 0))
