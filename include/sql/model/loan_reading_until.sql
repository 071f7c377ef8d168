-- Up to when a period's loans were read.
SELECT r.until_at FROM ops.loan_reading AS r
WHERE r.source = :source AND r.period = :period
