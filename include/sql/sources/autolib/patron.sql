-- One row per member record, as AutoLib holds it now; column names are the product's own.
SELECT
    m.member_id AS source_id,
    m.prefix_code::text AS prefix, -- noqa: RF04
    m.first_name AS given_name,
    m.last_name AS family_name,
    m.type_code AS patron_type,
    coalesce(f.faculty_name, m.unit_name) AS affiliation,
    m.nationality_code AS nationality,
    m.citizen_no AS citizen_id,
    m.email,
    m.member_state AS membership,
    m.expire_date AS expiry
FROM autolib.member AS m
LEFT JOIN autolib.faculty AS f ON m.faculty_code = f.faculty_code
ORDER BY m.member_no
