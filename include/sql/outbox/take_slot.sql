-- One mail's share of a rate, if it is time for it; what was not used in the last second may be caught up.
INSERT INTO ops.mail_bucket AS b (bucket_key, next_at)
VALUES (:bucket_key, cast(:now AS timestamptz) - interval '1 second' + cast(:every AS interval))
ON CONFLICT (bucket_key) DO UPDATE SET
    next_at = greatest(b.next_at, excluded.next_at - cast(:every AS interval)) + cast(:every AS interval)
WHERE b.next_at <= :now
