-- Whether a warehouse was ever set up in this database.
SELECT to_regclass('ops.identity') IS NOT NULL
