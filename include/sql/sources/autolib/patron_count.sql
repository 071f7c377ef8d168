-- AutoLib's own count of member records, asked for in the same transaction as the rows.
SELECT count(*) FROM autolib.member AS m
WHERE abs(mod(m.member_no, :shards)) = :shard
