-- Keeps the staged records from being dropped, and from waiting behind whoever would add some.
LOCK TABLE ONLY stage.patron IN ACCESS SHARE MODE
