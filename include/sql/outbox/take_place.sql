UPDATE ops.identity SET place = :place
