-- Transactions of one session: what each statement answers inside and after them.

CREATE TABLE account (id integer PRIMARY KEY, owner text NOT NULL, balance numeric(12, 2) CHECK (balance >= 0), fee numeric);
CREATE TABLE note (a integer, b text, c double precision, d interval, e numeric(5, 1), f text[]);

INSERT INTO account VALUES (1, 'ada', 10, 1.0), (2, 'bob', 20, 1.00), (3, 'eve', 30, NULL);
INSERT INTO note VALUES (1, 'x', 0, '1 mon', 1.5, '{a,b}'), (1, 'x', 0, '1 mon', 1.5, '{a,b}'), (NULL, NULL, '-0', '30 days', 'NaN', NULL);

-- Own writes are seen, and kept by COMMIT.
BEGIN;
UPDATE account SET balance = balance - 5 WHERE id = 1;
UPDATE account SET balance = balance + 5 WHERE id = 2;
SELECT * FROM account ORDER BY id;
SELECT sum(balance), count(*) FROM account;
INSERT INTO account VALUES (4, 'dan', 1, 0.10) RETURNING id, fee;
DELETE FROM account WHERE owner = 'eve';
SELECT a.owner, b.owner FROM account a JOIN account b ON b.id = a.id + 1 ORDER BY 1;
SELECT * FROM account WHERE id IN (SELECT max(id) FROM account);
UPDATE account SET id = 9 WHERE id = 4;
INSERT INTO account VALUES (4, 'dan', 2, 0.2), (1, 'ada', 100, 3) ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance RETURNING *;
SELECT * FROM account ORDER BY id;
COMMIT;
SELECT * FROM account ORDER BY id;

-- ROLLBACK leaves nothing.
START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
DELETE FROM account;
SELECT count(*) FROM account;
INSERT INTO account VALUES (1, 'new', 1, 1);
SELECT * FROM account;
ROLLBACK;
SELECT * FROM account ORDER BY id;

-- A table without a key holds rows as often as they were put there.
BEGIN;
INSERT INTO note VALUES (1, 'x', 0, '1 mon', 1.5, '{a,b}'), (2, 'y', 1, '1 day', 2, '{}');
SELECT * FROM note;
DELETE FROM note WHERE b = 'y';
UPDATE note SET a = a + 1 WHERE a = 1;
SELECT a, count(*), sum(e) FROM note GROUP BY a;
SELECT * FROM note;
DELETE FROM note WHERE a IS NULL;
SELECT * FROM note;
INSERT INTO note SELECT a, 'copy', c, d, e, f FROM note;
SELECT * FROM note;
COMMIT;
SELECT * FROM note;

-- Rows that are equal but look different stay apart.
BEGIN;
INSERT INTO note (c, d) VALUES (0, '1 mon'), ('-0', '1 mon'), (0, '30 days');
SELECT c, d FROM note WHERE a IS NULL;
ROLLBACK;

-- A failed statement fails the block.
BEGIN;
INSERT INTO account VALUES (7, 'gus', 7, 7);
INSERT INTO account VALUES (8, 'hal', 8, 8), (7, 'again', 7, 7);
SELECT 1;
INSERT INTO account VALUES (8, 'hal', 8, 8);
SAVEPOINT s;
RELEASE s;
BEGIN;
COMMIT;
SELECT * FROM account WHERE id >= 7;
BEGIN;
SELECT nothing FROM account;
ROLLBACK;
BEGIN;
SELECT FROM FROM;
SELECT 1;
ROLLBACK;
BEGIN;
SELECT 1 / 0;
SELECT 1;
END;

-- Savepoints.
BEGIN;
INSERT INTO account VALUES (20, 'a', 1, 1);
SAVEPOINT one;
INSERT INTO account VALUES (21, 'b', 1, 1);
UPDATE account SET owner = 'changed' WHERE id = 20;
SAVEPOINT two;
DELETE FROM account WHERE id IN (20, 21);
SELECT id, owner FROM account WHERE id >= 20;
ROLLBACK TO two;
SELECT id, owner FROM account WHERE id >= 20 ORDER BY id;
INSERT INTO account VALUES (20, 'dup', 1, 1);
SELECT 1;
ROLLBACK TO SAVEPOINT one;
SELECT id, owner FROM account WHERE id >= 20;
ROLLBACK TO two;
SELECT 1;
ROLLBACK TO one;
SAVEPOINT one;
INSERT INTO account VALUES (22, 'c', 1, 1);
RELEASE SAVEPOINT one;
ROLLBACK TO one;
SELECT id, owner FROM account WHERE id >= 20 ORDER BY id;
RELEASE one;
INSERT INTO account VALUES (23, 'd', 1, 1);
COMMIT;
SELECT id, owner FROM account WHERE id >= 20 ORDER BY id;

-- Outside of a block.
COMMIT;
ROLLBACK;
SAVEPOINT s;
RELEASE s;
ROLLBACK TO s;
BEGIN;
BEGIN WORK;
ABORT;
BEGIN TRANSACTION;
RELEASE unknown;
COMMIT;

-- Read only.
BEGIN READ ONLY;
SELECT count(*) FROM account;
INSERT INTO account VALUES (50, 'x', 1, 1);
SELECT 1;
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
DELETE FROM account;
ROLLBACK;
BEGIN;
SET TRANSACTION READ ONLY;
UPDATE account SET owner = 'x';
ROLLBACK;
BEGIN;
SELECT 1;
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
ROLLBACK;
BEGIN;
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT count(*) FROM account;
SET TRANSACTION READ WRITE;
ROLLBACK;

-- TRUNCATE is undone too, and now() stands still.
BEGIN;
INSERT INTO account VALUES (60, 'x', 1, 1);
TRUNCATE account;
SELECT count(*) FROM account;
INSERT INTO account VALUES (60, 'x', 1, 1);
ROLLBACK;
SELECT count(*) FROM account;
BEGIN;
CREATE TEMPORARY TABLE nothing_of_this_kind_here (a integer;
ROLLBACK;
BEGIN;
UPDATE account SET balance = -1 WHERE id = 1;
ROLLBACK;
BEGIN;
INSERT INTO account (id, owner) VALUES (70, NULL);
COMMIT;
SELECT * FROM account ORDER BY id;
