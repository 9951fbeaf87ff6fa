-- The clock begins at 2026-01-01 00:00:00 UTC, which is 1767225600000 milliseconds after 1970.
CREATE STREAM clicks (page text, n int);

-- @test: ROWTIME, ROWPARTITION and ROWOFFSET are found by name and are no columns
INSERT INTO clicks VALUES ('a', 1);
ADVANCE TIME BY INTERVAL '1.5 seconds';
INSERT INTO clicks VALUES ('b', 2);
ASSERT ROWS (SELECT * FROM clicks) VALUES ('a', 1), ('b', 2);
ASSERT ROWS (SELECT page, ROWTIME, rowpartition, RowOffset FROM clicks) VALUES
  ('a', 1767225600000, 0, 0), ('b', 1767225601500, 0, 1);
ASSERT ROWS (SELECT c."ROWTIME", c."ROWOFFSET", c.n FROM clicks AS c ORDER BY rowtime DESC LIMIT 1) ORDERED VALUES
  (1767225601500, 1, 2);
ASSERT ROWS (SELECT rowoffset FROM clicks WHERE rowtime > 1767225600000) VALUES (1);
ASSERT ROWS (SELECT pg_typeof(rowtime)::text, pg_typeof(rowpartition)::text, pg_typeof(rowoffset)::text FROM clicks LIMIT 1)
  VALUES ('bigint', 'integer', 'bigint');
ASSERT ERROR '42703' FOR INSERT INTO clicks (page, rowoffset) VALUES ('c', 1);
ASSERT ERROR '42703' FOR SELECT rowtime FROM (SELECT * FROM clicks) AS inner_query;
ASSERT ERROR '42703' FOR SELECT "RowTime" FROM clicks;
ASSERT ROWS (SELECT (c).* FROM clicks AS c) VALUES ('a', 1), ('b', 2);
ASSERT ROWS (SELECT count(*) FROM clicks AS one NATURAL JOIN clicks AS other) VALUES (2);
ASSERT ERROR '42702' FOR SELECT rowtime FROM clicks AS one, clicks AS other;

-- @test: a column of that name is the stream's
CREATE STREAM own (rowtime text, "ROWOFFSET" text);
INSERT INTO own VALUES ('mine', 'too');
ASSERT ROWS (SELECT rowtime, "ROWOFFSET", rowoffset, "ROWTIME" FROM own) VALUES ('mine', 'too', 0, 1767225600000);

-- @test: views, aggregates, window functions and sinks compute with them
CREATE MATERIALIZED VIEW last AS SELECT page, max(rowtime) AS latest, count(*) AS n FROM clicks GROUP BY page;
CREATE MATERIALIZED VIEW steps AS SELECT rowoffset, rowtime - lag(rowtime) OVER (ORDER BY rowoffset) AS gap FROM clicks;
CREATE STREAM times AS SELECT page, rowtime AS at_ms, to_timestamp(rowtime / 1000.0) AS at FROM clicks;
INSERT INTO clicks VALUES ('a', 1);
ADVANCE TIME BY INTERVAL '2 seconds';
INSERT INTO clicks VALUES ('a', 2), ('b', 3);
ASSERT ROWS last VALUES ('a', 1767225602000, 2), ('b', 1767225602000, 1);
ASSERT ROWS steps VALUES (0, NULL), (1, 2000), (2, 0);
ASSERT ROWS times VALUES ('a', 1767225600000, '2026-01-01 00:00:00Z'), ('a', 1767225602000, '2026-01-01 00:00:02Z'),
  ('b', 1767225602000, '2026-01-01 00:00:02Z');

-- @test: rows with a generated column, a check and a header stay the rows that they are
CREATE STREAM checked (n int CHECK (n > 0), twice int GENERATED ALWAYS AS (n * 2) STORED);
CREATE MATERIALIZED VIEW kept AS SELECT rowoffset, twice, rowtime FROM checked;
CREATE MATERIALIZED VIEW offsets AS SELECT rowoffset FROM checked;
INSERT INTO checked VALUES (1);
ADVANCE TIME BY INTERVAL '1 second';
INSERT INTO checked VALUES (2);
ASSERT ROWS kept VALUES (0, 2, 1767225600000), (1, 4, 1767225601000);
ASSERT ROWS offsets VALUES (0), (1);

-- @test: windows without a declared time are over the record's
CREATE TABLE counts AS
  SELECT page, windowstart AS began, windowend AS ended, count(*) AS n
  FROM clicks WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY page, windowstart, windowend;
CREATE TABLE hops AS
  SELECT window_start, count(*) AS n
  FROM clicks WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS) GROUP BY window_start;
CREATE TABLE sessions AS
  SELECT page, windowstart AS began, windowend AS ended, sum(n) AS n
  FROM clicks WINDOW SESSION (5 SECONDS) GROUP BY page;
CREATE MATERIALIZED VIEW tumbled AS
  SELECT window_end, count(*) AS n FROM TUMBLE(clicks, ROWTIME, INTERVAL '10 seconds') GROUP BY window_end;
INSERT INTO clicks VALUES ('a', 1), ('b', 1);
ADVANCE TIME BY INTERVAL '4 seconds';
INSERT INTO clicks VALUES ('a', 2);
ADVANCE TIME BY INTERVAL '8 seconds';
INSERT INTO clicks VALUES ('a', 4);
ASSERT ROWS counts VALUES ('a', 1767225600000, 1767225610000, 2), ('b', 1767225600000, 1767225610000, 1),
  ('a', 1767225610000, 1767225620000, 1);
ASSERT ROWS hops VALUES ('2025-12-31 23:59:55Z', 3), ('2026-01-01 00:00:00Z', 3), ('2026-01-01 00:00:05Z', 1),
  ('2026-01-01 00:00:10Z', 1);
ASSERT ROWS sessions VALUES ('a', 1767225600000, 1767225604000, 3), ('b', 1767225600000, 1767225600000, 1),
  ('a', 1767225612000, 1767225612000, 4);
ASSERT ROWS tumbled VALUES ('2026-01-01 00:00:10Z', 3), ('2026-01-01 00:00:20Z', 1);
ASSERT ERROR '0A000' FOR CREATE MATERIALIZED VIEW never AS
  SELECT page, window_start, count(*) AS n FROM clicks WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page, window_start EMIT FINAL;

-- @test: records meet within a time of one another
CREATE STREAM orders (page text, price int);
CREATE MATERIALIZED VIEW pairs AS
  SELECT c.page, c.n, o.price, o.rowtime - c.rowtime AS later
  FROM clicks AS c JOIN orders AS o WITHIN (1 SECOND, 5 SECONDS) ON c.page = o.page;
INSERT INTO orders VALUES ('a', 10);
ADVANCE TIME BY INTERVAL '1 second';
INSERT INTO clicks VALUES ('a', 1);
ADVANCE TIME BY INTERVAL '5 seconds';
INSERT INTO orders VALUES ('a', 20);
ADVANCE TIME BY INTERVAL '1 millisecond';
INSERT INTO orders VALUES ('a', 30);
ASSERT ROWS pairs VALUES ('a', 1, 10, -1000), ('a', 1, 20, 5000);

-- @test: the option timestamp names a column of milliseconds, or of time
CREATE STREAM taps (page text, ms bigint) WITH (timestamp = 'ms');
CREATE STREAM knocks (page text, at timestamp, other timestamp) WITH (timestamp = 'at');
CREATE STREAM texts (page text, at text) WITH (timestamp = 'at');
INSERT INTO taps VALUES ('a', 1767225601000), ('a', 1767225612000), ('a', NULL);
INSERT INTO knocks VALUES ('a', '2026-01-01 00:00:01.0005', NULL);
ASSERT ROWS (SELECT ms, rowtime, rowoffset FROM taps) VALUES
  (1767225601000, 1767225601000, 0), (1767225612000, 1767225612000, 1), (NULL, NULL, 2);
ASSERT ROWS (SELECT page, rowtime FROM knocks) VALUES ('a', 1767225601000);
CREATE TABLE tapped AS SELECT windowstart AS began, count(*) AS n FROM taps WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY windowstart;
CREATE TABLE knocked AS SELECT window_end, count(*) AS n FROM knocks WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY window_end;
ASSERT ROWS tapped VALUES (1767225600000, 1), (1767225610000, 1);
ASSERT ROWS knocked VALUES ('2026-01-01 00:00:10', 1);
ASSERT ERROR '0A000' LIKE '%no time%' FOR
  CREATE TABLE texted AS SELECT count(*) AS n FROM texts WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page;

-- @test: patterns over records in the order of their time
CREATE MATERIALIZED VIEW rises AS
  SELECT * FROM clicks MATCH_RECOGNIZE (
    PARTITION BY page ORDER BY rowtime
    MEASURES first(a.rowtime) AS began, last(b.rowoffset) AS ended
    PATTERN (a b) DEFINE b AS b.n > a.n);
CREATE MATERIALIZED VIEW plain AS
  SELECT * FROM clicks MATCH_RECOGNIZE (ORDER BY n ALL ROWS PER MATCH PATTERN (a) DEFINE a AS a.n > 1);
INSERT INTO clicks VALUES ('a', 1);
ADVANCE TIME BY INTERVAL '1 second';
INSERT INTO clicks VALUES ('a', 2);
ASSERT ROWS rises VALUES ('a', 1767225600000, 1);
ASSERT ROWS plain VALUES (2, 'a');

-- @test: late rows within the grace have no record's time
CREATE STREAM timed (page text, at timestamp, WATERMARK FOR at AS at);
ASSERT ERROR '42703' FOR CREATE TABLE counts AS
  SELECT max(rowtime) AS n FROM timed WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY window_start;
CREATE TABLE counts AS
  SELECT window_start, max(rowtime) AS n FROM timed WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY window_start;
INSERT INTO timed VALUES ('a', '2026-01-01 00:00:01');
ASSERT ROWS counts VALUES ('2026-01-01 00:00:00', 1767225600000);

-- @test: windows over the record's time are final when it is declared with a watermark
CREATE STREAM closing (page text, at timestamptz METADATA FROM 'timestamp', WATERMARK FOR at AS at - INTERVAL '2 seconds');
CREATE TABLE counts AS
  SELECT page, windowend AS ended, count(*) AS n, max(rowtime) AS latest
  FROM closing WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page, windowend, window_end EMIT FINAL;
INSERT INTO closing (page) VALUES ('a'), ('a');
ADVANCE TIME BY INTERVAL '11 seconds';
INSERT INTO closing (page) VALUES ('a');
ASSERT NO ROWS counts;
ADVANCE TIME BY INTERVAL '1 second';
INSERT INTO closing (page) VALUES ('a');
ASSERT ROWS counts VALUES ('a', 1767225610000, 2, 1767225600000);

-- @test: what is no stream has none of it, whatever its columns are called
CREATE STREAM timed (page text, at timestamp);
CREATE MATERIALIZED VIEW kept AS SELECT * FROM TUMBLE(timed, at, INTERVAL '10 seconds') MATCH_RECOGNIZE (
  ORDER BY at MEASURES a.page AS found ALL ROWS PER MATCH PATTERN (a) DEFINE a AS a.page <> 'x');
CREATE TABLE joined AS
  SELECT count(*) AS n, window_start FROM timed JOIN clicks ON timed.page = clicks.page WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY window_start;
CREATE STREAM other (page text, rowtime int);
ASSERT ERROR '0A000' FOR CREATE TABLE derived AS
  SELECT count(*) AS n FROM (SELECT page, n, n + 1 AS rowtime, n + 2 AS b, n + 3 AS c, n AS "record time" FROM clicks) AS d
  WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page;
INSERT INTO timed VALUES ('a', '2026-01-01 00:00:11');
INSERT INTO clicks VALUES ('a', 1);
INSERT INTO other VALUES ('a', 7);
ASSERT ROWS kept VALUES ('2026-01-01 00:00:11', 'a', 'a', '2026-01-01 00:00:10', '2026-01-01 00:00:20');
ASSERT ROWS joined VALUES (1, '2026-01-01 00:00:10');
ASSERT ROWS (SELECT j.rowtime, rowtime FROM (clicks JOIN other USING (page)) AS j) VALUES (7, 7);
