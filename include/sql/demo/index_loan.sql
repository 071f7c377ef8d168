CREATE INDEX loan_member ON autolib.loan (member_id)
