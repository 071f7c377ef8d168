-- Only by the worker that claimed it: what a person or a later run decided since then stays. What the server
-- did not take for now is tried again later, each time after twice as long, until it is given up; a line that
-- broke without an answer is no try.
UPDATE core.message SET
    state = CASE WHEN :is_later AND first_tried_at < :given_up_before THEN 'given up' ELSE :state END,
    smtp_code = :smtp_code,
    smtp_status = :smtp_status,
    is_hard_refusal = :is_hard_refusal,
    sent_at = :sent_at,
    due_at = CASE
        WHEN :is_later
            THEN cast(:now AS timestamptz) + least(
                cast(:first AS interval) * power(2, least(attempt_count, 20) - 1), cast(:last AS interval)
            )
        ELSE due_at
    END,
    attempt_count
    = attempt_count - CASE WHEN :is_later AND cast(:smtp_code AS integer) IS NULL THEN 1 ELSE 0 END,
    worker_lock = NULL
WHERE message_id = :message_id AND state = 'sending' AND worker_lock = :worker_lock
