-- What SET does, and what it refuses.

CREATE TABLE moment (id integer PRIMARY KEY, at timestamptz, local timestamp, day date);
INSERT INTO moment VALUES
  (1, '2026-01-15 12:00:00Z', '2026-01-15 12:00:00', '2026-01-15'),
  (2, '2026-03-29 00:30:00Z', '2026-03-29 02:30:00', '2026-03-29'),
  (3, '2026-03-29 01:30:00Z', '2026-03-29 03:30:00', '2026-03-30'),
  (4, '2026-10-25 00:30:00Z', '2026-10-25 02:30:00', '2026-10-25'),
  (5, '2026-10-25 01:30:00.25Z', '2026-10-25 02:30:00', '2026-10-26'),
  (6, 'infinity', 'infinity', 'infinity'),
  (7, NULL, NULL, NULL),
  (8, '1850-06-01 00:00:00Z', '1850-06-01', '1850-06-01');

SET timezone = 'Europe/Berlin';
SHOW timezone;
SELECT * FROM moment ORDER BY id;
SELECT id, at::timestamp, at::date, at::time, at::text, at::varchar(16) FROM moment ORDER BY id;
SELECT id, local::timestamptz, day::timestamptz, local::text::timestamptz FROM moment ORDER BY id;
SELECT id, date_trunc('day', at), date_trunc('hour', at), date_trunc('month', at), date_trunc('minute', at) FROM moment ORDER BY id;
SELECT id, extract(hour FROM at), extract(epoch FROM at), extract(timezone FROM at), extract(timezone_hour FROM at), extract(timezone_minute FROM at), date_part('dow', at), date_part('timezone', at), extract(day FROM at) FROM moment WHERE id < 6 ORDER BY id;
SELECT id, at + interval '1 day', at - interval '1 month', at + interval '24 hours', interval '1 day 2 hours' + at FROM moment ORDER BY id;
SELECT id, to_char(at, 'YYYY-MM-DD HH24:MI:SS'), age(at, timestamptz '2025-02-28 23:30Z') FROM moment WHERE id < 6 ORDER BY id;
SELECT id FROM moment WHERE at >= '2026-03-29 03:00' AND at < '2026-10-25 03:00' ORDER BY id;
SELECT id FROM moment WHERE at > local ORDER BY id;
SELECT id FROM moment WHERE at = day OR at < date '1900-01-01' ORDER BY id;
SELECT timestamptz '2026-07-01 10:00', timestamptz '2026-07-01 10:00+05', '2026-07-01'::timestamptz, timestamp '2026-07-01 10:00' AT TIME ZONE 'UTC', timestamptz '2026-07-01 10:00Z' AT TIME ZONE 'America/New_York';
SELECT make_timestamptz(2026, 7, 1, 10, 0, 0), to_timestamp('2026-07-01 10', 'YYYY-MM-DD HH24'), to_timestamp(0);
SELECT ARRAY[timestamptz '2026-07-01 10:00Z'], ARRAY[timestamptz '2026-07-01 10:00Z']::text, '{2026-07-01 10:00}'::timestamptz[];
SELECT current_date = now()::date, localtimestamp = now()::timestamp, 'now'::timestamptz = now(), 'today'::date = current_date, 'today'::timestamptz = date_trunc('day', now());
SELECT date_trunc('day', at) AS day, count(*) FROM moment GROUP BY 1 ORDER BY 1;
SELECT id, (SELECT max(m.at::date) FROM moment m WHERE m.id <= moment.id AND m.id < 6) FROM moment ORDER BY id;
INSERT INTO moment VALUES (20, '2026-07-01 10:00', '2026-07-01 10:00', '2026-07-01') RETURNING *;
UPDATE moment SET at = at + interval '1 day', local = at WHERE id = 2 RETURNING *;
INSERT INTO moment (id, local) SELECT 21, timestamptz '2026-07-01 10:00Z';
SET TIME ZONE 'America/St_Johns';
SELECT * FROM moment ORDER BY id;
SET TIME ZONE -3.5;
SHOW timezone;
SELECT timestamptz '2026-07-01 10:00Z';
SET TIME ZONE 5;
SELECT timestamptz '2026-07-01 10:00Z', extract(timezone_hour FROM timestamptz '2026-07-01 10:00Z');
SET timezone = 'asia/kathmandu';
SHOW timezone;
SELECT * FROM moment ORDER BY id;
SET timezone = 'Nowhere/Land';
SET timezone TO DEFAULT;
SET timezone = 'UTC';
SELECT * FROM moment ORDER BY id;

-- SET LOCAL and rollbacks.
BEGIN;
SET LOCAL timezone = 'Asia/Tokyo';
SHOW timezone;
SELECT timestamptz '2026-07-01 10:00Z';
COMMIT;
SHOW timezone;
BEGIN;
SET timezone = 'Asia/Tokyo';
SAVEPOINT s;
SET timezone = 'Europe/Paris';
SHOW timezone;
ROLLBACK TO s;
SHOW timezone;
ROLLBACK;
SHOW timezone;
BEGIN;
SET LOCAL statement_timeout = 5000;
SET statement_timeout = '1min';
COMMIT;
SHOW statement_timeout;
SET LOCAL timezone = 'Asia/Tokyo';
SHOW timezone;

-- Values.
SET statement_timeout = '90s';
SHOW statement_timeout;
SET statement_timeout = 1500;
SHOW statement_timeout;
SET statement_timeout = '2h';
SHOW statement_timeout;
SET statement_timeout = 'soon';
SET statement_timeout = '-5';
RESET statement_timeout;
SHOW statement_timeout;
SET nonsense = 1;
SHOW nonsense;
RESET nonsense;
SET mine.thing = 'x';
SHOW mine.thing;
SET application_name = 'tests';
SHOW application_name;
SET DateStyle = 'ISO, MDY';
SHOW DateStyle;
SET DateStyle = 'nonsense';
SET IntervalStyle = 'postgres';
SHOW IntervalStyle;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET standard_conforming_strings = maybe;
SET client_min_messages = warning;
SHOW client_min_messages;
SET client_min_messages = nothing;
SET server_version = '1';
SET extra_float_digits = 3;
SHOW extra_float_digits;
SET default_transaction_read_only = on;
INSERT INTO moment (id) VALUES (30);
BEGIN READ WRITE;
INSERT INTO moment (id) VALUES (30);
COMMIT;
SHOW transaction_read_only;
RESET default_transaction_read_only;
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY;
SHOW transaction_isolation;
INSERT INTO moment (id) VALUES (31);
RESET ALL;
SET timezone = 'UTC';
SHOW transaction_isolation;
SHOW application_name;
-- differs: dates are read and printed in ISO form only
SET DateStyle = 'German';
RESET DateStyle;
SET DateStyle = 'ISO, MDY';
