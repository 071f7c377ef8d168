-- Where the ledger of mails was when mail last went out, and where it is: a server, a line of its history (a
-- recovery to a point in time begins another one), a database, a table. A dump that is restored is elsewhere.
-- The lock keeps the count of dispatches and the file outside in step.
SELECT
    i.place,
    i.dispatch_count,
    concat_ws(
        '/',
        s.system_identifier,
        c.timeline_id,
        (
            SELECT d.oid FROM pg_database AS d
            WHERE d.datname = current_database()
        ),
        'core.message'::regclass::oid
    ) AS now_place
FROM ops.identity AS i
CROSS JOIN pg_control_system() AS s
CROSS JOIN pg_control_checkpoint() AS c
FOR UPDATE OF i
