-- Items come back by day: those in time before they are due, of the overdue ones a sixth.
UPDATE autolib.loan AS l
SET returned_at = b.back_at
FROM (
    SELECT
        o.loan_id,
        date_trunc('day', greatest(o.due_at - interval '5 days', s.as_of_at), 'Asia/Bangkok')
        + make_interval(days => 1 + o.loan_id % 4, mins => 500 + o.loan_id % 600) AS back_at
    FROM autolib.loan AS o
    CROSS JOIN autolib.data_state AS s
    WHERE o.returned_at IS NULL AND (o.due_at > s.as_of_at OR o.loan_id % 6 = 0)
) AS b
WHERE l.loan_id = b.loan_id AND b.back_at <= :until
