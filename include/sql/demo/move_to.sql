UPDATE autolib.data_state SET as_of_at = :as_of_at
