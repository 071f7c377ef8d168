-- The physical tables of periods that are over for so long, each with what it is a part of.
SELECT
    i.inhparent::regclass::text AS whole,
    c.oid::regclass::text AS part
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON i.inhrelid = c.oid
WHERE
    i.inhparent IN ('core.patron_month'::regclass, 'core.rejection'::regclass)
    AND replace(right(c.relname, 7), '_', '-') < :period
ORDER BY 1, 2
