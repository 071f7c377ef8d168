INSERT INTO ops.mailbox_reading (mailbox, new_count, read_at)
VALUES (:mailbox, :new_count, :read_at)
ON CONFLICT (mailbox) DO UPDATE SET
    new_count = excluded.new_count,
    read_at = excluded.read_at
