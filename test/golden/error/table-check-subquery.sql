CREATE TABLE t (a int CHECK (a > (SELECT 1)))
