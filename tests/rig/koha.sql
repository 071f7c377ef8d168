-- The tables of a Koha that are read: the names and types of a current one, and no more of each than matters.

CREATE TABLE branches (
    branchcode varchar(10) PRIMARY KEY,
    branchname longtext NOT NULL
);

CREATE TABLE categories (
    categorycode varchar(10) PRIMARY KEY,
    description longtext,
    category_type varchar(1) NOT NULL DEFAULT 'A'
);

CREATE TABLE authorised_values (
    id int AUTO_INCREMENT PRIMARY KEY,
    category varchar(32) NOT NULL,
    authorised_value varchar(80) NOT NULL,
    lib varchar(200)
);

CREATE TABLE borrowers (
    borrowernumber int AUTO_INCREMENT PRIMARY KEY,
    cardnumber varchar(32) UNIQUE,
    surname longtext,
    firstname mediumtext,
    title longtext,
    email longtext,
    emailpro mediumtext,
    B_email mediumtext,
    branchcode varchar(10) NOT NULL,
    categorycode varchar(10) NOT NULL,
    dateexpiry date,
    gonenoaddress tinyint(1),
    lost tinyint(1),
    debarred date,
    sort1 varchar(80),
    sort2 varchar(80),
    FOREIGN KEY (branchcode) REFERENCES branches (branchcode),
    FOREIGN KEY (categorycode) REFERENCES categories (categorycode)
);

CREATE TABLE deletedborrowers LIKE borrowers;

CREATE TABLE borrower_attributes (
    id int AUTO_INCREMENT PRIMARY KEY,
    borrowernumber int NOT NULL,
    code varchar(64) NOT NULL,
    attribute varchar(255),
    FOREIGN KEY (borrowernumber) REFERENCES borrowers (borrowernumber) ON DELETE CASCADE
);

CREATE TABLE items (
    itemnumber int AUTO_INCREMENT PRIMARY KEY,
    barcode varchar(20) UNIQUE
);

CREATE TABLE issues (
    issue_id int AUTO_INCREMENT PRIMARY KEY,
    borrowernumber int NOT NULL,
    itemnumber int UNIQUE NOT NULL,
    date_due datetime,
    branchcode varchar(10),
    returndate datetime,
    lastreneweddate datetime,
    renewals_count tinyint NOT NULL DEFAULT 0,
    timestamp timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    issuedate datetime,
    FOREIGN KEY (borrowernumber) REFERENCES borrowers (borrowernumber),
    FOREIGN KEY (itemnumber) REFERENCES items (itemnumber)
);

CREATE TABLE old_issues (
    issue_id int PRIMARY KEY,
    borrowernumber int,
    itemnumber int,
    date_due datetime,
    branchcode varchar(10),
    returndate datetime,
    lastreneweddate datetime,
    renewals_count tinyint NOT NULL DEFAULT 0,
    timestamp timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    issuedate datetime,
    FOREIGN KEY (borrowernumber) REFERENCES borrowers (borrowernumber) ON DELETE SET NULL,
    FOREIGN KEY (itemnumber) REFERENCES items (itemnumber) ON DELETE SET NULL
);
