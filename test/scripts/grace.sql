CREATE STREAM clicks (
  page text NOT NULL,
  at timestamp,
  WATERMARK FOR at AS at
);
CREATE STREAM orders (page text, n int, at timestamp, WATERMARK FOR at AS at);

-- @test: a late row within the grace still counts, and the window is final at its end and the grace
CREATE TABLE counts AS
  SELECT page, window_end, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS)
  GROUP BY page, window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('a', '2026-01-01 00:00:12');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:02');
ASSERT LATE clicks (page, at) VALUES ('a', '2026-01-01 00:00:02');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:14.999999');
ASSERT NO ROWS counts;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:09');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:15');
ASSERT VALUES counts VALUES ('a', '2026-01-01 00:00:10', 3);
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:09');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:25');
ASSERT VALUES counts VALUES ('a', '2026-01-01 00:00:20', 3);
ASSERT LATE clicks (at) VALUES
  ('2026-01-01 00:00:02'), ('2026-01-01 00:00:09'), ('2026-01-01 00:00:09');

-- @test: a late row counts in the hopping windows that are still open
CREATE TABLE counts AS
  SELECT window_start, count(*) AS n FROM clicks
  WINDOW HOPPING (SIZE 20 SECONDS, ADVANCE BY 10 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY window_start;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:15'), ('b', '2026-01-01 00:00:21');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:16');
ASSERT ROWS counts VALUES
  ('2026-01-01 00:00:00', 1), ('2026-01-01 00:00:10', 3), ('2026-01-01 00:00:20', 1);

-- @test: a view that is made later counts the same late rows
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('a', '2026-01-01 00:00:12');
CREATE MATERIALIZED VIEW reader AS SELECT count(*) AS n FROM clicks;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:02'), ('a', '2026-01-01 00:00:16');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:03');
CREATE TABLE counts AS SELECT page, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY page;
CREATE TABLE strict AS SELECT page, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY page;
ASSERT ROWS counts (n) VALUES (2), (2);
ASSERT ROWS strict (n) VALUES (1), (2);

-- @test: sessions take late rows whose own time is within the grace
CREATE TABLE visits AS
  SELECT page, window_start, count(*) AS n FROM clicks
  WINDOW SESSION (10 SECONDS, GRACE PERIOD 20 SECONDS) GROUP BY page EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('a', '2026-01-01 00:00:30');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:11'), ('a', '2026-01-01 00:00:09');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:41'), ('b', '2026-01-01 00:00:42');
ASSERT VALUES visits VALUES ('a', '2026-01-01 00:00:01', 2);

-- @test: a join takes late rows of both sides within the grace
CREATE MATERIALIZED VIEW bought AS
  SELECT c.page, c.at, o.n FROM clicks c LEFT JOIN orders o
  WITHIN (0 SECONDS, 10 SECONDS) GRACE PERIOD 5 SECONDS ON c.page = o.page EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('x', '2026-01-01 00:00:12');
INSERT INTO orders VALUES ('b', 1, '2026-01-01 00:00:12');
INSERT INTO clicks VALUES ('b', '2026-01-01 00:00:07'), ('b', '2026-01-01 00:00:06');
INSERT INTO orders VALUES ('a', 2, '2026-01-01 00:00:08'), ('a', 3, '2026-01-01 00:00:06');
INSERT INTO clicks VALUES ('z', '2026-01-01 00:00:23');
INSERT INTO orders VALUES ('z', 9, '2026-01-01 00:00:23');
ASSERT VALUES bought (page, n) VALUES ('a', 2), ('b', 1);

-- @test: a grace is a length of time
ASSERT ERROR '22023' LIKE '%grace%' FOR CREATE TABLE t AS SELECT page, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD INTERVAL '-1 s') GROUP BY page;

-- @test: without a watermark no row is late, so that a grace changes nothing
CREATE STREAM plain (k int, at timestamp);
CREATE TABLE counts AS SELECT k, count(*) AS n FROM plain
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY k;
INSERT INTO plain VALUES (1, '2026-01-01 00:10:00'), (1, '2026-01-01 00:00:00');
ASSERT ROWS counts VALUES (1, 1), (1, 1);

-- @test: generated columns of late rows are computed
CREATE STREAM gen (ms bigint, at timestamp GENERATED ALWAYS AS ((to_timestamp(ms / 1000.0) AT TIME ZONE 'UTC')),
  page text, upper_page text GENERATED ALWAYS AS (upper(page)), WATERMARK FOR at AS at);
CREATE TABLE counts AS SELECT upper_page, count(*) AS n FROM gen
  WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY upper_page;
INSERT INTO gen (ms, page) VALUES (1000, 'a'), (12000, 'a');
INSERT INTO gen (ms, page) VALUES (2000, 'a');
ASSERT ROWS counts VALUES ('A', 2), ('A', 1);

-- @test: windows leave when the watermark has reached their start and the retention
CREATE TABLE counts AS
  SELECT page, window_start, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, RETENTION 30 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY page, window_start;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('a', '2026-01-01 00:00:12');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:04'), ('a', '2026-01-01 00:00:29');
ASSERT ROWS counts (window_start, n) VALUES
  ('2026-01-01 00:00:00', 2), ('2026-01-01 00:00:10', 1), ('2026-01-01 00:00:20', 1);
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:30');
ASSERT DELETED VALUES counts (window_start, n) VALUES
  ('2026-01-01 00:00:00', 1), ('2026-01-01 00:00:00', 2);
ASSERT ROWS counts (window_start, n) VALUES
  ('2026-01-01 00:00:10', 1), ('2026-01-01 00:00:20', 1), ('2026-01-01 00:00:30', 1);

-- @test: a retention that windows cannot have is refused
ASSERT ERROR '22023' LIKE '%retention%' FOR CREATE TABLE t AS SELECT page, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, RETENTION 12 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY page;
ASSERT ERROR '0A000' LIKE '%RETENTION%' FOR CREATE TABLE t AS SELECT page, count(*) AS n FROM clicks
  WINDOW TUMBLING (SIZE 10 SECONDS, RETENTION 1 DAY) GROUP BY page EMIT FINAL;
