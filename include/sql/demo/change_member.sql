UPDATE autolib.member AS m
SET
    first_name = c.first_name,
    last_name = c.last_name,
    type_code = c.type_code,
    faculty_code = c.faculty_code,
    unit_name = c.unit_name,
    email = c.email,
    member_state = c.member_state,
    expire_date = c.expire_date
FROM pg_temp.change AS c
WHERE m.member_id = c.member_id
