-- The instant at which the copy of AutoLib was taken.
SELECT s.as_of_at FROM autolib.data_state AS s
