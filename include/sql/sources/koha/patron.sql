-- One row per borrower, as Koha holds it now; deleted borrowers lie in a table of their own and are not read.
-- Koha has no field for a nationality or a citizen number: those and the affiliation are patron attributes
-- (borrower_attributes) whose codes each library chooses; put your own in place of the three below.
SELECT
    CAST(b.borrowernumber AS CHAR) AS borrowernumber,
    b.title,
    b.firstname,
    b.surname,
    b.categorycode,
    (
        SELECT MIN(a.attribute) FROM borrower_attributes AS a
        WHERE a.borrowernumber = b.borrowernumber AND a.code = 'AFFIL'
    ) AS affiliation,
    -- Where the library keeps a list of values for sort1 or sort2 the column holds a code of it.
    COALESCE((
        SELECT MIN(v.lib) FROM authorised_values AS v
        WHERE v.category = 'Bsort1' AND v.authorised_value = b.sort1
    ), b.sort1) AS sort1,
    COALESCE((
        SELECT MIN(v.lib) FROM authorised_values AS v
        WHERE v.category = 'Bsort2' AND v.authorised_value = b.sort2
    ), b.sort2) AS sort2,
    r.branchname,
    (
        SELECT MIN(a.attribute) FROM borrower_attributes AS a
        WHERE a.borrowernumber = b.borrowernumber AND a.code = 'NATION'
    ) AS nationality,
    (
        SELECT MIN(a.attribute) FROM borrower_attributes AS a
        WHERE a.borrowernumber = b.borrowernumber AND a.code = 'CITIZEN'
    ) AS citizen_id,
    b.email,
    b.emailpro,
    b.b_email,
    -- A statistical borrower stands for use inside the library, or for loans made anonymous, and is nobody.
    -- A debarment ends by itself on its day; Koha leaves the day in place.
    CASE
        WHEN c.category_type = 'X' THEN 'statistical'
        WHEN b.debarred > CURRENT_DATE THEN 'debarred'
        WHEN b.lost = 1 THEN 'lost'
        WHEN b.gonenoaddress = 1 THEN 'gone'
        ELSE 'active'
    END AS membership,
    CAST(b.dateexpiry AS CHAR) AS dateexpiry
FROM borrowers AS b
LEFT JOIN categories AS c ON b.categorycode = c.categorycode
LEFT JOIN branches AS r ON b.branchcode = r.branchcode
WHERE ABS(MOD(b.borrowernumber, :shards)) = :shard
ORDER BY b.borrowernumber
