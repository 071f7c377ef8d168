SELECT pg_advisory_xact_lock(hashtextextended('campaign ' || :campaign, 0))
