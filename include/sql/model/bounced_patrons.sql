-- Real customers to whose address no mail may go, because it came back: who is to be asked for another one.
SELECT
    p.source_id,
    coalesce(p.title, p.prefix_raw) AS title,
    coalesce(nullif(concat_ws(' ', p.given_name_raw, p.family_name_raw), ''), p.full_name_raw) AS whole_name,
    coalesce(p.status, p.patron_type_raw) AS patron_type,
    p.affiliation_raw AS affiliation,
    p.email,
    max(s.event_at) AS bounced_at
FROM core.patron_month AS m
INNER JOIN core.suppression AS s ON m.address_key = s.address_key
INNER JOIN stage.patron AS p ON p.extract_id = :extract_id AND m.record_no = p.record_no
WHERE
    m.period = :period
    AND m.is_real_customer
    AND s.kind IN ('hard_bounce', 'soft_bounces')
    AND NOT s.is_provisional
GROUP BY p.extract_id, p.record_no
ORDER BY p.record_no
