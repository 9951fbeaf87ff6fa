-- ALTER TABLE over rows that are there.

CREATE TABLE part (id integer PRIMARY KEY, name text, price numeric(6, 2) DEFAULT 1);
CREATE TABLE pile (a integer, b text, c double precision, d numeric);
INSERT INTO part VALUES (1, 'a', 1.5), (2, NULL, 2);
INSERT INTO pile VALUES (1, 'x', 0, 1.0), (1, 'y', 0, 1.0), (1, 'y', '-0', 1.00), (2, 'x', 1, NULL);

ALTER TABLE part ADD COLUMN note text;
SELECT * FROM part ORDER BY id;
ALTER TABLE part ADD COLUMN amount numeric(8, 3) DEFAULT 2.5 NOT NULL, ADD COLUMN tags text[] DEFAULT '{a,b}', ADD flag boolean DEFAULT true;
SELECT * FROM part ORDER BY id;
ALTER TABLE part ADD COLUMN note text;
ALTER TABLE part ADD COLUMN IF NOT EXISTS note text;
ALTER TABLE part ADD COLUMN needed integer NOT NULL;
ALTER TABLE part ADD COLUMN small integer DEFAULT 5 CHECK (small < 3);
ALTER TABLE part ADD COLUMN small integer DEFAULT 5 CHECK (small < 9);
INSERT INTO part (id, name) VALUES (3, 'c') RETURNING *;
INSERT INTO part (id, small) VALUES (4, 10);
INSERT INTO part (id, amount) VALUES (4, NULL);
UPDATE part SET note = 'n' || id WHERE id < 3;
SELECT * FROM part ORDER BY id;
ALTER TABLE part DROP COLUMN name;
ALTER TABLE part DROP COLUMN name;
ALTER TABLE part DROP COLUMN IF EXISTS name;
SELECT * FROM part ORDER BY id;
DELETE FROM part WHERE note = 'n1';
INSERT INTO part VALUES (5, 7, 'five', 1, NULL, false, 1);
INSERT INTO part (id) VALUES (5);
SELECT * FROM part ORDER BY id;

ALTER TABLE part ALTER COLUMN price SET DEFAULT 9;
INSERT INTO part (id) VALUES (6) RETURNING price;
ALTER TABLE part ALTER price DROP DEFAULT;
INSERT INTO part (id) VALUES (7) RETURNING price;
ALTER TABLE part ALTER price SET NOT NULL;
UPDATE part SET price = 0 WHERE price IS NULL;
ALTER TABLE part ALTER price SET NOT NULL;
INSERT INTO part (id, price) VALUES (8, NULL);
ALTER TABLE part ALTER price DROP NOT NULL;
INSERT INTO part (id, price) VALUES (8, NULL);
ALTER TABLE part ALTER id DROP NOT NULL;
ALTER TABLE part ALTER nothing SET DEFAULT 1;
ALTER TABLE part ALTER price SET DEFAULT 'x';

ALTER TABLE part RENAME COLUMN note TO remark;
ALTER TABLE part RENAME remark TO price;
ALTER TABLE part RENAME nothing TO other;
SELECT id, remark FROM part ORDER BY id;
ALTER TABLE part RENAME COLUMN id TO number;
INSERT INTO part (number) VALUES (5);
SELECT number FROM part ORDER BY number;
ALTER TABLE part RENAME TO piece;
SELECT count(*) FROM part;
SELECT count(*) FROM piece;
ALTER TABLE piece RENAME TO pile;
ALTER TABLE nothing RENAME TO something;
ALTER TABLE IF EXISTS nothing RENAME TO something;

ALTER TABLE pile DROP COLUMN b;
SELECT * FROM pile;
DELETE FROM pile WHERE a = 1 AND c = 0;
INSERT INTO pile VALUES (2, 1, NULL), (2, 1, NULL);
SELECT a, c, d, count(*) FROM pile GROUP BY 1, 2, 3;
ALTER TABLE pile ADD COLUMN b text DEFAULT 'z';
SELECT * FROM pile;
DELETE FROM pile WHERE b = 'z';
SELECT * FROM pile;

CREATE TABLE used (id integer PRIMARY KEY, v integer);
-- differs: the tag
CREATE MATERIALIZED VIEW v_used AS SELECT sum(v) AS s FROM used;
INSERT INTO used VALUES (1, 2);
ALTER TABLE used DROP COLUMN v;
ALTER TABLE used ADD COLUMN more text DEFAULT 'm';
INSERT INTO used VALUES (2, 3, 'n');
SELECT * FROM used ORDER BY id;
