SELECT pg_advisory_lock(:worker_lock)
