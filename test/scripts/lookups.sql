CREATE STREAM orders (id int, cur text, at timestamp, WATERMARK FOR at AS at);
CREATE TABLE rates (cur text PRIMARY KEY, rate int);
CREATE STREAM versions (cur text, rate int, since timestamp, WATERMARK FOR since AS since);

-- @test: a row is joined with the table as it is when the row arrives, once
INSERT INTO rates VALUES ('eur', 10), ('usd', 9);
CREATE MATERIALIZED VIEW priced AS
  SELECT o.id, o.cur, r.rate FROM orders o JOIN rates r FOR SYSTEM_TIME AS OF PROCTIME() ON o.cur = r.cur;
CREATE MATERIALIZED VIEW all_priced AS
  SELECT o.id, r.rate FROM orders o LEFT JOIN rates FOR SYSTEM_TIME AS OF PROCTIME() AS r ON o.cur = r.cur AND r.rate > 8;
INSERT INTO orders VALUES (1, 'eur', '2026-01-01 00:00:01'), (2, 'gbp', '2026-01-01 00:00:02');
ASSERT ROWS priced VALUES (1, 'eur', 10);
ASSERT ROWS all_priced VALUES (1, 10), (2, NULL);
UPDATE rates SET rate = 11 WHERE cur = 'eur';
INSERT INTO rates VALUES ('gbp', 12);
DELETE FROM rates WHERE cur = 'usd';
INSERT INTO orders VALUES (3, 'eur', '2026-01-01 00:00:03'), (4, 'usd', '2026-01-01 00:00:03');
INSERT INTO orders VALUES (5, 'gbp', '2026-01-01 00:00:03'), (6, NULL, '2026-01-01 00:00:03');
ASSERT ROWS priced VALUES (1, 'eur', 10), (3, 'eur', 11), (5, 'gbp', 12);
ASSERT ROWS all_priced VALUES (1, 10), (2, NULL), (3, 11), (4, NULL), (5, 12), (6, NULL);
ASSERT NO DELETED VALUES all_priced;

-- @test: what was looked up feeds streams, windows and groups; the table is loaded first
CREATE TABLE topic_rates (cur text PRIMARY KEY, rate int) WITH (kafka_topic = 'rates', partitions = 1);
INSERT INTO topic_rates VALUES ('eur', 10), ('usd', 5);
INSERT INTO orders VALUES (1, 'eur', '2026-01-01 00:00:01'), (2, 'usd', '2026-01-01 00:00:02');
CREATE STREAM priced WITH (partitions = 1) AS
  SELECT o.id, o.at, r.rate FROM orders o JOIN topic_rates r FOR SYSTEM_TIME AS OF now() ON o.cur = r.cur;
CREATE MATERIALIZED VIEW looked_up AS
  SELECT o.at, r.rate FROM orders o JOIN topic_rates r FOR SYSTEM_TIME AS OF PROCTIME() ON o.cur = r.cur WHERE r.rate > 1;
CREATE MATERIALIZED VIEW totals AS SELECT window_end, sum(rate) AS total
  FROM TUMBLE(looked_up, at, INTERVAL '10 s') GROUP BY window_start, window_end EMIT FINAL;
CREATE MATERIALIZED VIEW sums AS SELECT sum(rate) AS total FROM priced;
ASSERT ROWS sums VALUES (15);
INSERT INTO topic_rates VALUES ('eur', 100);
INSERT INTO orders VALUES (3, 'eur', '2026-01-01 00:00:10'), (4, 'usd', '2026-01-01 00:00:20');
ASSERT ROWS sums VALUES (120);
ASSERT ROWS totals VALUES ('2026-01-01 00:00:10', 15), ('2026-01-01 00:00:20', 100);

-- @test: what cannot be looked up at arrival is refused
CREATE TABLE changing (id int PRIMARY KEY, cur text);
ASSERT ERROR '0A000' LIKE '%left side change%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT c.id FROM changing c JOIN rates r FOR SYSTEM_TIME AS OF PROCTIME() ON c.cur = r.cur;
ASSERT ERROR '0A000' LIKE '%is a stream%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT o.id FROM orders o JOIN versions r FOR SYSTEM_TIME AS OF PROCTIME() ON o.cur = r.cur;
ASSERT ERROR '0A000' LIKE '%looked up once%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT r.rate, count(*) FROM orders o JOIN rates r FOR SYSTEM_TIME AS OF PROCTIME() ON o.cur = r.cur GROUP BY r.rate;
ASSERT ERROR '0A000' LIKE '%right join%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT o.id FROM orders o RIGHT JOIN rates r FOR SYSTEM_TIME AS OF PROCTIME() ON o.cur = r.cur;
ASSERT ERROR '0A000' LIKE '%right side of a join%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT rate FROM rates FOR SYSTEM_TIME AS OF PROCTIME();
ASSERT ERROR '0A000' LIKE '%inside%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT id FROM changing c WHERE EXISTS
    (SELECT 1 FROM orders o JOIN rates r FOR SYSTEM_TIME AS OF PROCTIME() ON o.cur = r.cur WHERE o.id = c.id);

-- @test: the version that held at the row's time, also when rows and versions come late
CREATE STREAM sales (id int, cur text, at timestamp);
CREATE MATERIALIZED VIEW priced AS
  SELECT s.id, v.rate FROM sales s LEFT JOIN versions FOR SYSTEM_TIME AS OF s.at AS v ON s.cur = v.cur;
INSERT INTO versions VALUES ('eur', 10, '2026-01-01 00:00:10'), ('eur', 30, '2026-01-01 00:00:30');
INSERT INTO sales VALUES (1, 'eur', '2026-01-01 00:00:09'), (2, 'eur', '2026-01-01 00:00:10'), (3, 'eur', '2026-01-01 00:00:35');
ASSERT ROWS priced VALUES (1, NULL), (2, 10), (3, 30);
INSERT INTO versions VALUES ('eur', 33, '2026-01-01 00:00:33');
INSERT INTO sales VALUES (4, 'eur', '2026-01-01 00:00:12'), (5, 'usd', '2026-01-01 00:00:12');
ASSERT ROWS priced VALUES (1, NULL), (2, 10), (3, 33), (4, 10), (5, NULL);

-- @test: versions that are gone are not made up
CREATE TABLE dated (cur text PRIMARY KEY, rate int, since timestamp);
ASSERT ERROR LIKE '%time column%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT o.id, r.rate FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.at AS r ON o.cur = r.cur;
ASSERT ERROR '0A000' LIKE '%versions are not known%' FOR CREATE MATERIALIZED VIEW v AS
  SELECT o.id, r.rate FROM orders o JOIN (SELECT 1 AS one) AS x ON true
  JOIN dated FOR SYSTEM_TIME AS OF o.at AS r ON o.cur = r.cur;

-- @test: a stream that a join with tables feeds looks up at arrival, as in ksqlDB
CREATE TABLE people (id text PRIMARY KEY, name text, team text);
CREATE TABLE teams (id text PRIMARY KEY, city text);
INSERT INTO people VALUES ('a', 'Ann', 't');
INSERT INTO teams VALUES ('t', 'Oslo');
CREATE STREAM purchases (n int, person text);
CREATE STREAM named AS
SELECT o.n, p.name, t.city FROM purchases o LEFT JOIN people p ON o.person = p.id LEFT JOIN teams t ON p.team = t.id EMIT CHANGES;
INSERT INTO purchases VALUES (1, 'a'), (2, 'b');
ASSERT ROWS named VALUES (1, 'Ann', 'Oslo'), (2, NULL, NULL);
UPDATE people SET name = 'Anna';
UPDATE teams SET city = 'Bergen';
INSERT INTO purchases VALUES (3, 'a');
ASSERT ROWS named VALUES (1, 'Ann', 'Oslo'), (2, NULL, NULL), (3, 'Anna', 'Bergen');
ASSERT ERROR '0A000' FOR CREATE STREAM counted AS SELECT p.name, count(*) AS n FROM purchases o JOIN people p ON o.person = p.id GROUP BY p.name;
ASSERT ERROR '0A000' FOR CREATE STREAM late AS SELECT p.id, o.n FROM people p LEFT JOIN purchases o ON o.person = p.id;
