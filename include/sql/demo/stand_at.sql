INSERT INTO autolib.data_state (as_of_at) VALUES (:as_of_at)
