-- Whether the rows of an extract still lie in stage.
SELECT to_regclass(:table) IS NOT NULL
