SELECT s.as_of_at FROM autolib.data_state AS s FOR UPDATE
