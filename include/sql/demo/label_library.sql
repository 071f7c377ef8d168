COMMENT ON SCHEMA autolib IS
'INVENTED for demonstration and tests. Walai AutoLib''s own schema is not public; nobody in here exists.'
