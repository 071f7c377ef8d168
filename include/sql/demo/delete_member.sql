DELETE FROM autolib.member
WHERE member_id = any(:member_ids)
