CREATE STREAM clicks (page text, at timestamp, WATERMARK FOR at AS at - INTERVAL '5 s');
CREATE TABLE prices (item text PRIMARY KEY, price int);

-- @test: EMIT EVERY shows changes together, at most that often
CREATE MATERIALIZED VIEW counts AS
  SELECT page, count(*) AS n FROM clicks GROUP BY page EMIT EVERY INTERVAL '1 minute';
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01');
ADVANCE TIME BY INTERVAL '1 s';
ASSERT VALUES counts VALUES ('a', 1);
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:02'), ('b', '2026-01-01 00:00:02');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:03');
ASSERT NO VALUES counts;
ADVANCE TIME BY INTERVAL '50 s';
ASSERT NO VALUES counts;
ASSERT ROWS counts VALUES ('a', 1);
ADVANCE TIME BY INTERVAL '10 s';
ASSERT VALUES counts VALUES ('a', 3), ('b', 1);
ASSERT DELETED VALUES counts VALUES ('a', 1);
ADVANCE TIME BY INTERVAL '5 minutes';
ASSERT NO VALUES counts;

-- @test: what comes and goes in between is never seen, and all of an emission is of one moment
CREATE MATERIALIZED VIEW shown AS SELECT item, price FROM prices EMIT EVERY 10 SECONDS;
CREATE MATERIALIZED VIEW total AS SELECT sum(price) AS total FROM shown;
INSERT INTO prices VALUES ('a', 10), ('b', 20);
ADVANCE TIME BY INTERVAL '1 s';
ASSERT ROWS shown VALUES ('a', 10), ('b', 20);
INSERT INTO prices VALUES ('c', 30);
UPDATE prices SET price = price - 5 WHERE item = 'a';
UPDATE prices SET price = price + 5 WHERE item = 'b';
DELETE FROM prices WHERE item = 'c';
ASSERT ROWS shown VALUES ('a', 10), ('b', 20);
ASSERT ROWS total VALUES (30);
ADVANCE TIME BY INTERVAL '10 s';
ASSERT ROWS shown VALUES ('a', 5), ('b', 25);
ASSERT ROWS total VALUES (30);

-- @test: the length of EMIT EVERY is positive, and what waits for the clock knows no watermark
ASSERT ERROR '22023' FOR CREATE MATERIALIZED VIEW v AS SELECT page FROM clicks EMIT EVERY INTERVAL '0 s';
CREATE MATERIALIZED VIEW slow AS SELECT page, at FROM clicks EMIT EVERY INTERVAL '1 s';
ASSERT ERROR '0A000' FOR CREATE MATERIALIZED VIEW v AS SELECT page, at FROM slow EMIT FINAL;

-- @test: EMIT ON WINDOW CLOSE is EMIT FINAL
CREATE MATERIALIZED VIEW counts AS
  SELECT window_end, count(*) AS n FROM TUMBLE(clicks, at, INTERVAL '10 s')
  GROUP BY window_start, window_end EMIT ON WINDOW CLOSE;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('a', '2026-01-01 00:00:14.999');
ASSERT NO ROWS counts;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:15');
ASSERT ROWS counts VALUES ('2026-01-01 00:00:10', 1);

-- @test: rows of a view with a retention leave by the clock, also final ones
CREATE MATERIALIZED VIEW recent WITH (retention = '1 minute') AS
  SELECT window_start, window_end, count(*) AS n FROM TUMBLE(clicks, at, INTERVAL '10 s')
  GROUP BY window_start, window_end EMIT FINAL;
CREATE TABLE pages WITH (retention = '20 s') AS SELECT page, max(at) AS seen FROM clicks GROUP BY page;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('b', '2026-01-01 00:00:16');
ASSERT ROWS recent (n) VALUES (1);
ASSERT ROWS pages (page) VALUES ('a'), ('b');
ADVANCE TIME BY INTERVAL '21 s';
ASSERT ROWS pages (page) VALUES ('b');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:40');
ASSERT ROWS pages (page, seen) VALUES ('a', '2026-01-01 00:00:40'), ('b', '2026-01-01 00:00:16');
ADVANCE TIME BY INTERVAL '50 s';
ASSERT ROWS recent (window_end) VALUES ('2026-01-01 00:00:20'), ('2026-01-01 00:00:50');
ASSERT NO ROWS pages;

-- @test: a retention needs a length and a time
CREATE STREAM two (a timestamp, b timestamp, k int);
ASSERT ERROR LIKE '%which column%' FOR CREATE MATERIALIZED VIEW v WITH (retention = '1 day') AS SELECT a, b FROM two;
ASSERT ERROR LIKE '%which column%' FOR CREATE MATERIALIZED VIEW v WITH (retention = '1 day') AS SELECT k FROM two;
ASSERT ERROR LIKE '%no time column "k"%' FOR
  CREATE MATERIALIZED VIEW v WITH (retention = '1 day', retention_column = 'k') AS SELECT a, k FROM two;
ASSERT ERROR LIKE '%retention%' FOR CREATE MATERIALIZED VIEW v WITH (retention = '1 month') AS SELECT a FROM two;
ASSERT ERROR LIKE '%retention%' FOR CREATE MATERIALIZED VIEW v WITH (retention_column = 'a') AS SELECT a FROM two;
ASSERT ERROR LIKE '%unknown option%' FOR CREATE STREAM v WITH (retention = '1 day') AS SELECT a FROM two;
ASSERT ERROR LIKE '%unknown option%' FOR CREATE VIEW v WITH (retention = '1 day') AS SELECT a FROM two;
CREATE MATERIALIZED VIEW v WITH (retention = '1 day', retention_column = 'b') AS SELECT a, b FROM two;
INSERT INTO two VALUES ('2025-01-01', '2026-01-01'), ('2026-01-01', '2025-01-01');
ASSERT ROWS v VALUES ('2025-01-01', '2026-01-01');
