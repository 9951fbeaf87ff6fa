CREATE TABLE every_type (
  id int PRIMARY KEY, f boolean, s smallint, i integer, b bigint, r real, d double precision, n numeric, m numeric(8,3),
  t text, v varchar(5), c char(4), y bytea, dt date, tm time, ts timestamp, tz timestamptz, iv interval, j jsonb, u uuid, ai int[], at text[]);
SELECT * FROM every_type;
INSERT INTO every_type VALUES (1, true, 1, 2, 3, 1.5, 2.5, 1.50, 2.0005, 'text', 'var', 'ch', '\x0102ff', '2024-02-29', '12:34:56.789', '2024-02-29 12:34:56', '2024-02-29 12:34:56+02', '1 year 2 mons 3 days 04:05:06.7', '{"b": 1, "a": [1, 2.50, null, "x"]}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{1,2,NULL}', '{a,"b c",NULL,""}');
INSERT INTO every_type (id) VALUES (2);
INSERT INTO every_type VALUES (3, 'no', -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', 99999.9994, '', '', '', '', '-infinity', '00:00', 'infinity', 'infinity', '-1 day', '[]', '00000000-0000-0000-0000-000000000000', '{}', '{}');
INSERT INTO every_type VALUES (4, false, 32767, 2147483647, 9223372036854775807, 3.4028235e38, 1e-300, 123456789012345678901234567890.123456789, -0.0004, 'quote '' and \ backslash', 'ä€😀', '    ', 'abc', '0044-03-15 BC', '24:00', '1999-12-31 23:59:59.999999', '2000-01-01 00:00:00-08', '0', 'null', gen_random_uuid(), NULL, NULL);
UPDATE every_type SET u = NULL WHERE id = 4;
SELECT * FROM every_type ORDER BY id;
SELECT id, f::text, r::text, d::text, c || '|', length(c), v FROM every_type ORDER BY id;
INSERT INTO every_type (id, s) VALUES (5, 32768);
INSERT INTO every_type (id, i) VALUES (5, 2147483648);
INSERT INTO every_type (id, b) VALUES (5, 9223372036854775808);
INSERT INTO every_type (id, m) VALUES (5, 100000);
INSERT INTO every_type (id, v) VALUES (5, 'toolong');
INSERT INTO every_type (id, v) VALUES (5, 'trail     ');
INSERT INTO every_type (id, c) VALUES (6, 'toolong');
INSERT INTO every_type (id, i) VALUES (6, 'x');
INSERT INTO every_type (id, i) VALUES (6, 1.5);
INSERT INTO every_type (id, i) VALUES (7, true);
INSERT INTO every_type (id, t) VALUES (7, 12);
INSERT INTO every_type (id, f) VALUES (8, 1);
INSERT INTO every_type (id, f) VALUES (8, 'maybe');
INSERT INTO every_type (id, dt) VALUES (8, '2024-02-30');
INSERT INTO every_type (id, dt) VALUES (8, 'yesterday is not a date');
INSERT INTO every_type (id, tm) VALUES (8, '25:00');
INSERT INTO every_type (id, j) VALUES (8, '{"a": }');
INSERT INTO every_type (id, u) VALUES (8, 'zz');
INSERT INTO every_type (id, ai) VALUES (8, '{1,2');
INSERT INTO every_type (id, y) VALUES (8, '\xz');
INSERT INTO every_type (id, r) VALUES (8, 1e40);
INSERT INTO every_type (id, d) VALUES (8, '1e400');
SELECT id, v, c, i, t FROM every_type WHERE id > 4 ORDER BY id;
CREATE TABLE every_type (id int);
CREATE TABLE IF NOT EXISTS every_type (id int);
CREATE TABLE two_keys (a int, a text);
CREATE TABLE bad_type (a nonsense);
CREATE TABLE bad_key (a int, PRIMARY KEY (b));
CREATE TABLE bad_default (a int DEFAULT 'x');
CREATE TABLE bad_check (a int CHECK (a + 1));
CREATE TABLE bad_check2 (a int CHECK (b > 1));
CREATE TABLE bad_numeric (a numeric(0));
CREATE TABLE bad_char (a varchar(0));
CREATE TABLE with_defaults (
  id int PRIMARY KEY,
  a int DEFAULT 7,
  b text DEFAULT 'x' || 'y',
  c numeric(6,2) NOT NULL DEFAULT 1.005,
  d timestamp DEFAULT '2024-01-01 00:00:00',
  e int CHECK (e > 0),
  f text NOT NULL CHECK (f <> '') DEFAULT 'f');
INSERT INTO with_defaults (id) VALUES (1);
INSERT INTO with_defaults VALUES (2, DEFAULT, DEFAULT, 2, DEFAULT, 5);
INSERT INTO with_defaults (id, a, b) VALUES (3, NULL, NULL);
INSERT INTO with_defaults (id, e) VALUES (4, 0);
INSERT INTO with_defaults (id, e) VALUES (4, NULL);
INSERT INTO with_defaults (id, c) VALUES (5, NULL);
INSERT INTO with_defaults (id, f) VALUES (5, '');
INSERT INTO with_defaults (id, f) VALUES (5, NULL);
INSERT INTO with_defaults (a) VALUES (5);
INSERT INTO with_defaults DEFAULT VALUES;
INSERT INTO with_defaults (id, nope) VALUES (5, 1);
INSERT INTO with_defaults (id, id) VALUES (5, 1);
INSERT INTO with_defaults (id, a) VALUES (5);
INSERT INTO with_defaults (id, a) VALUES (5, 6, 7);
INSERT INTO with_defaults (id, a) VALUES (5, 6), (7);
UPDATE with_defaults SET a = DEFAULT, c = DEFAULT WHERE id = 3;
UPDATE with_defaults SET e = -1 WHERE id = 1;
UPDATE with_defaults SET c = NULL WHERE id = 1;
UPDATE with_defaults SET id = NULL WHERE id = 1;
UPDATE with_defaults SET id = 2 WHERE id = 1;
UPDATE with_defaults SET id = id + 10;
SELECT * FROM with_defaults ORDER BY id;
CREATE TABLE composite_key (a int, b text, c int, PRIMARY KEY (a, b));
INSERT INTO composite_key VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3);
INSERT INTO composite_key VALUES (3, 'z', 1), (1, 'y', 9);
INSERT INTO composite_key VALUES (3, NULL, 1);
SELECT * FROM composite_key ORDER BY a, b;
CREATE TABLE "Quoted Name" ("Mixed Case" int, "select" text, "a""b" int);
INSERT INTO "Quoted Name" VALUES (1, 'x', 2);
SELECT * FROM "Quoted Name";
SELECT "Mixed Case", "select", "a""b" AS "Out Put" FROM "Quoted Name" AS "T x" WHERE "T x"."select" = 'x';
SELECT mixed FROM "Quoted Name";
SELECT * FROM Quoted;
DROP TABLE "Quoted Name";
DROP TABLE "Quoted Name";
DROP TABLE IF EXISTS "Quoted Name";
CREATE TABLE no_key (a int, b text);
INSERT INTO no_key VALUES (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL);
SELECT * FROM no_key;
DELETE FROM no_key WHERE a = 1;
SELECT * FROM no_key;
TRUNCATE no_key;
TRUNCATE TABLE no_key;
SELECT count(*) FROM no_key;
TRUNCATE nothing_there;
CREATE TABLE unique_column (a int PRIMARY KEY, b int NOT NULL);
INSERT INTO unique_column VALUES (1, NULL);
