-- Koha's own count of borrowers, asked for in the same transaction as the rows.
SELECT COUNT(*) FROM borrowers AS b
WHERE ABS(MOD(b.borrowernumber, :shards)) = :shard
