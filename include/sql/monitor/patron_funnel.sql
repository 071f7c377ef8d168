SELECT
    f.extracted_count,
    f.current_count,
    f.real_customer_count,
    f.real_person_count,
    f.mailable_count,
    f.rejected_count,
    f.as_of_date,
    f.published_at,
    f.definition_hash,
    f.mapping_hash,
    f.suite_hash
FROM mart.patron_funnel AS f
WHERE f.period = :period
