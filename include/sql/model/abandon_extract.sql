-- An unfinished extract of another day, mapping or shape: no shard will complete it any more.
UPDATE ops.extract SET state = 'abandoned'
WHERE period = :period AND state = 'reading'
