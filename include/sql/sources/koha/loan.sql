-- Loans that began, were renewed or came back from :since until before :until, in Koha's own time zone, and
-- those that Koha recorded then: a return in the book drop is dated back, an offline loan comes in later.
-- A loan has no borrower once it was made anonymous, or was handed to a statistical borrower for that.
-- An instant that can be none of a loan is given as NULL; what is no day at all, as '0000-00-00', becomes
-- NULL as soon as anything is added to it.
SELECT
    CAST(l.issue_id AS CHAR) AS loan_id,
    CAST(CASE WHEN c.category_type != 'X' THEN l.borrowernumber END AS CHAR) AS source_id,
    CAST(l.itemnumber AS CHAR) AS item_id,
    CASE
        WHEN l.issuedate + INTERVAL 0 SECOND BETWEEN '1900-01-01' AND '2200-01-01' THEN l.issuedate
    END AS loaned_at,
    CASE
        WHEN l.date_due + INTERVAL 0 SECOND BETWEEN '1900-01-01' AND '2200-01-01' THEN l.date_due
    END AS due_at,
    CASE
        WHEN l.returndate + INTERVAL 0 SECOND BETWEEN '1900-01-01' AND '2200-01-01' THEN l.returndate
    END AS returned_at
FROM (
    SELECT
        i.issue_id,
        i.borrowernumber,
        i.itemnumber,
        i.issuedate,
        i.date_due,
        i.lastreneweddate,
        i.returndate,
        i.timestamp
    FROM issues AS i
    UNION ALL
    SELECT
        o.issue_id,
        o.borrowernumber,
        o.itemnumber,
        o.issuedate,
        o.date_due,
        o.lastreneweddate,
        o.returndate,
        o.timestamp
    FROM old_issues AS o
) AS l
LEFT JOIN borrowers AS b ON l.borrowernumber = b.borrowernumber
LEFT JOIN categories AS c ON b.categorycode = c.categorycode
WHERE
    (l.issuedate >= :since AND l.issuedate < :until)
    OR (l.lastreneweddate >= :since AND l.lastreneweddate < :until)
    OR (l.returndate >= :since AND l.returndate < :until)
    OR (l.timestamp >= :since AND l.timestamp < :until)
