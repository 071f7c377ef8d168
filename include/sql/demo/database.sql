-- What a library is about to be built in, or is expected to be in.
SELECT
    current_setting('server_encoding') AS database_encoding,
    to_regnamespace('autolib') IS NOT NULL AS has_library
