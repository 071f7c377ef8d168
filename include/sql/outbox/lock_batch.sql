SELECT pg_advisory_xact_lock(hashtextextended('outbox ' || :ref, 0))
