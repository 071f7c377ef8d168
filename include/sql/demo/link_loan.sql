-- After loading, where it costs one join instead of a look-up per loan.
ALTER TABLE autolib.loan ADD FOREIGN KEY (member_id) REFERENCES autolib.member (member_id)
