-- Who would read only now that the report is late has it by now.
UPDATE core.message SET state = 'withdrawn'
WHERE
    purpose = 'alert'
    AND step IN ('late', 'readers')
    AND state = 'queued'
    AND ref IN (
        SELECT o.period FROM ops.report_mailing AS o
        WHERE o.is_out
    )
