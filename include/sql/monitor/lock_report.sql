-- One edition of a period's report is made at a time: each is held against the newest.
SELECT pg_advisory_xact_lock(hashtextextended('report ' || :period, 0))
