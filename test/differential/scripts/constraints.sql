-- UNIQUE, CHECK and named constraints; ON CONFLICT with each of them.

CREATE TABLE member (
  id integer PRIMARY KEY,
  email text UNIQUE,
  badge integer CONSTRAINT member_badge UNIQUE NULLS NOT DISTINCT,
  first text,
  last text,
  age integer CHECK (age >= 0) CONSTRAINT sane CHECK (age < 150),
  UNIQUE (first, last),
  CONSTRAINT both_or_none CHECK ((first IS NULL) = (last IS NULL)),
  CHECK (age > 10 OR badge IS NOT NULL)
);
INSERT INTO member VALUES (1, 'a@x', 10, 'Ada', 'Lee', 30), (2, NULL, 20, NULL, NULL, 40), (3, NULL, NULL, 'Bob', 'Lee', 50);
INSERT INTO member VALUES (1, 'b@x', 11, 'Eve', 'Lee', 30);
INSERT INTO member VALUES (4, 'a@x', 11, 'Eve', 'Lee', 30);
INSERT INTO member VALUES (4, 'b@x', NULL, 'Eve', 'Lee', 30);
INSERT INTO member VALUES (4, 'b@x', 11, 'Ada', 'Lee', 30);
INSERT INTO member VALUES (4, 'b@x', 11, 'Ada', NULL, 30);
INSERT INTO member VALUES (4, 'b@x', 11, 'Eve', 'Lee', -1);
INSERT INTO member VALUES (4, 'b@x', 11, 'Eve', 'Lee', 200);
INSERT INTO member VALUES (4, 'b@x', 11, 'Eve', 'Lee', 30), (5, 'b@x', 12, 'Fay', 'Lee', 30);
INSERT INTO member (id, badge) VALUES (NULL, 1);
INSERT INTO member (id, age) VALUES (6, 5);
SELECT * FROM member ORDER BY id;
UPDATE member SET email = 'a@x' WHERE id = 2;
UPDATE member SET email = 'c@x' WHERE id = 2;
UPDATE member SET badge = NULL WHERE id = 1;
UPDATE member SET first = 'Ada' WHERE id = 3;
UPDATE member SET email = 'same' WHERE id < 3;
UPDATE member SET email = email, badge = badge;
SELECT * FROM member ORDER BY id;
INSERT INTO member VALUES (9, 'a@x', 90, 'Gil', 'Lee', 60) ON CONFLICT DO NOTHING;
INSERT INTO member VALUES (9, 'a@x', 90, 'Gil', 'Lee', 60) ON CONFLICT (email) DO NOTHING RETURNING id;
INSERT INTO member VALUES (9, 'a@x', 90, 'Gil', 'Lee', 60) ON CONFLICT (id) DO NOTHING;
INSERT INTO member VALUES (9, 'a@x', 90, 'Gil', 'Lee', 60) ON CONFLICT (email) DO UPDATE SET age = member.age + excluded.age RETURNING id, age;
INSERT INTO member VALUES (9, 'z@x', 10, 'Gil', 'Lee', 60) ON CONFLICT ON CONSTRAINT member_badge DO UPDATE SET age = excluded.age RETURNING id, age;
INSERT INTO member VALUES (9, 'z@x', 91, 'Ada', 'Lee', 60) ON CONFLICT (last, first) DO UPDATE SET badge = excluded.badge WHERE member.age < 20 RETURNING id, badge;
INSERT INTO member VALUES (9, 'z@x', 91, 'Ada', 'Lee', 60) ON CONFLICT ON CONSTRAINT member_first_last_key DO UPDATE SET badge = 20;
INSERT INTO member VALUES (9, 'z@x', 91, 'Ada', 'Lee', 60) ON CONFLICT ON CONSTRAINT nothing DO NOTHING;
INSERT INTO member VALUES (9, 'z@x', 91, 'Ada', 'Lee', 60) ON CONFLICT (first) DO NOTHING;
INSERT INTO member VALUES (9, 'z@x', 91, 'Hal', 'Lee', 60), (10, 'z@x', 92, 'Ida', 'Lee', 60) ON CONFLICT (email) DO UPDATE SET age = 61;
INSERT INTO member VALUES (9, 'z@x', 91, 'Hal', 'Lee', 60), (10, 'z@x', 92, 'Ida', 'Lee', 60) ON CONFLICT (email) DO NOTHING RETURNING *;
SELECT * FROM member ORDER BY id;
DELETE FROM member WHERE id = 1 RETURNING email;
INSERT INTO member VALUES (11, 'a@x', 10, 'Ada', 'Lee', 30) RETURNING id;

CREATE TABLE loose (a integer UNIQUE, b text, UNIQUE (b));
INSERT INTO loose VALUES (1, 'x'), (2, 'y'), (NULL, 'z'), (NULL, NULL), (NULL, NULL);
INSERT INTO loose VALUES (1, 'w');
INSERT INTO loose VALUES (3, 'x');
INSERT INTO loose VALUES (3, 'x') ON CONFLICT (b) DO UPDATE SET a = excluded.a RETURNING *;
INSERT INTO loose VALUES (3, 'y') ON CONFLICT DO NOTHING;
INSERT INTO loose VALUES (3, 'y') ON CONFLICT (a) DO UPDATE SET b = excluded.b;
SELECT * FROM loose ORDER BY a, b;
DELETE FROM loose WHERE b IS NULL;
UPDATE loose SET a = 5 WHERE a IS NULL RETURNING *;
UPDATE loose SET a = 5;
SELECT * FROM loose ORDER BY a, b;

CREATE TABLE doubled (a integer PRIMARY KEY PRIMARY KEY);
CREATE TABLE doubled (a integer PRIMARY KEY, b integer, PRIMARY KEY (b));
CREATE TABLE doubled (a integer CONSTRAINT c CHECK (a > 1), b integer CONSTRAINT c CHECK (b > 1));
CREATE TABLE doubled (a integer UNIQUE, UNIQUE (b));
CREATE TABLE doubled (a integer, UNIQUE (a, a));
CREATE TABLE doubled (a json UNIQUE);
CREATE TABLE doubled (a integer, CHECK (a));
CREATE TABLE twice_checked (a integer CHECK (a > 0) CHECK (a < 10), b integer, CHECK (a < b), CHECK (b > 0));
INSERT INTO twice_checked VALUES (11, 20);
INSERT INTO twice_checked VALUES (5, 4);
INSERT INTO twice_checked VALUES (5, NULL);
ALTER TABLE twice_checked DROP CONSTRAINT twice_checked_a_check1;
INSERT INTO twice_checked VALUES (11, 20);
ALTER TABLE twice_checked DROP CONSTRAINT twice_checked_check;
INSERT INTO twice_checked VALUES (11, 1);
ALTER TABLE twice_checked DROP CONSTRAINT nothing;
ALTER TABLE twice_checked DROP CONSTRAINT IF EXISTS nothing;

CREATE TABLE later (a integer, b integer, c text);
INSERT INTO later VALUES (1, 1, 'x'), (2, 1, 'y'), (3, NULL, 'y');
ALTER TABLE later ADD UNIQUE (b);
ALTER TABLE later ADD CONSTRAINT later_a UNIQUE (a);
INSERT INTO later VALUES (1, 2, 'z');
ALTER TABLE later ADD PRIMARY KEY (b);
ALTER TABLE later ADD PRIMARY KEY (c);
ALTER TABLE later ADD CONSTRAINT later_key PRIMARY KEY (a);
INSERT INTO later VALUES (NULL, 2, 'z');
INSERT INTO later VALUES (4, 2, 'z') ON CONFLICT (a) DO NOTHING;
INSERT INTO later VALUES (4, 3, 'w') ON CONFLICT ON CONSTRAINT later_key DO UPDATE SET c = excluded.c RETURNING *;
ALTER TABLE later ADD PRIMARY KEY (a);
ALTER TABLE later ADD CHECK (b > 1);
ALTER TABLE later ADD CONSTRAINT small CHECK (a < 100);
INSERT INTO later VALUES (100, 2, 'z');
ALTER TABLE later RENAME CONSTRAINT small TO little;
ALTER TABLE later DROP CONSTRAINT small;
ALTER TABLE later DROP CONSTRAINT little;
INSERT INTO later VALUES (100, 2, 'z');
ALTER TABLE later DROP CONSTRAINT later_key;
INSERT INTO later VALUES (100, 2, 'z');
ALTER TABLE later DROP CONSTRAINT later_a;
INSERT INTO later VALUES (100, 2, 'z');
INSERT INTO later VALUES (NULL, 2, 'z');
SELECT * FROM later ORDER BY a, b, c;
ALTER TABLE loose RENAME COLUMN a TO number;
INSERT INTO loose VALUES (5, 'q');
ALTER TABLE loose DROP COLUMN number;
INSERT INTO loose VALUES ('q'), ('q2');
INSERT INTO loose VALUES ('q');
ALTER TABLE loose RENAME TO looser;
INSERT INTO looser VALUES ('q') ON CONFLICT ON CONSTRAINT loose_b_key DO NOTHING;
SELECT * FROM looser ORDER BY b;
BEGIN;
SAVEPOINT s;
INSERT INTO looser VALUES ('undone');
DELETE FROM looser WHERE b = 'q';
ROLLBACK TO s;
INSERT INTO looser VALUES ('q') ON CONFLICT DO NOTHING;
INSERT INTO looser VALUES ('undone') RETURNING *;
COMMIT;
INSERT INTO looser VALUES ('undone');
DELETE FROM looser WHERE b = 'undone';
INSERT INTO looser VALUES ('undone');
SELECT * FROM looser ORDER BY b;
