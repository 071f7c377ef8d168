-- One beginning or end of a dispatch more than either the warehouse or the file outside it has counted.
UPDATE ops.identity SET
    place = :place,
    dispatch_count = greatest(dispatch_count, :noted) + 1
