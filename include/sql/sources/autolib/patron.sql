-- One row per member record, as AutoLib holds it now; column names are the product's own.
SELECT
    m.member_id,
    m.prefix_code::text,
    m.first_name,
    m.last_name,
    m.type_code,
    f.faculty_name,
    m.unit_name,
    m.nationality_code,
    m.citizen_no,
    m.email,
    m.member_state,
    m.expire_date
FROM autolib.member AS m
LEFT JOIN autolib.faculty AS f ON m.faculty_code = f.faculty_code
WHERE abs(mod(m.member_no, :shards)) = :shard
ORDER BY m.member_no
