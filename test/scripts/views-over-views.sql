CREATE STREAM clicks (
  page text,
  at timestamp,
  WATERMARK FOR at AS at - INTERVAL '5 s'
) WITH (partitions = 2, idle_timeout = '10 s');

-- @test: the windows of a view over final windows close by the stream's watermark
CREATE MATERIALIZED VIEW seconds AS
  SELECT page, window_end, count(*) AS n
  FROM TUMBLE(clicks, at, INTERVAL '10 s')
  GROUP BY page, window_start, window_end EMIT FINAL;
CREATE MATERIALIZED VIEW minutes AS
  SELECT date_trunc('minute', window_end - INTERVAL '1 s') + INTERVAL '1 minute' AS minute, sum(n) AS n
  FROM seconds GROUP BY 1 EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('b', '2026-01-01 00:00:12');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:59');
ADVANCE TIME BY INTERVAL '9 s';
ASSERT NO ROWS minutes;
ADVANCE TIME BY INTERVAL '1 s';
ASSERT VALUES seconds (page, n) VALUES ('a', 1), ('b', 1), ('a', 1);
ASSERT VALUES minutes VALUES ('2026-01-01 00:01:00', 3);
ADVANCE TIME BY INTERVAL '2 minutes';
ASSERT NO VALUES minutes;

-- @test: a view over windows that are not final hands the watermark on as well
CREATE MATERIALIZED VIEW open AS
  SELECT page, window_end, count(*) AS n
  FROM TUMBLE(clicks, at, INTERVAL '10 s')
  GROUP BY page, window_start, window_end;
CREATE MATERIALIZED VIEW closed AS
  SELECT window_end, max(n) AS most FROM open GROUP BY window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('b', '2026-01-01 00:00:02');
INSERT INTO clicks VALUES ('b', '2026-01-01 00:00:03');
ASSERT ROWS open (page, n) VALUES ('a', 1), ('b', 2);
ASSERT NO ROWS closed;
ADVANCE TIME BY INTERVAL '20 s';
ASSERT ROWS closed VALUES ('2026-01-01 00:00:10', 2);

-- @test: windows of a view over a stream, of one made after the rows have come, and a join of two views
CREATE MATERIALIZED VIEW good AS SELECT page, at FROM clicks WHERE page <> 'x';
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('x', '2026-01-01 00:00:02');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:31'), ('b', '2026-01-01 00:00:32');
ADVANCE TIME BY INTERVAL '10 s';
CREATE MATERIALIZED VIEW counts AS
  SELECT window_end, count(*) AS n FROM TUMBLE(good, at, INTERVAL '10 s')
  GROUP BY window_start, window_end EMIT FINAL;
ASSERT ROWS counts VALUES ('2026-01-01 00:00:10', 1);
CREATE MATERIALIZED VIEW bad AS SELECT page, at FROM clicks WHERE page = 'x';
CREATE MATERIALIZED VIEW near AS
  SELECT g.page, g.at, b.at AS bad_at FROM good AS g LEFT JOIN bad AS b
    ON b.at BETWEEN g.at - INTERVAL '5 s' AND g.at + INTERVAL '5 s' EMIT FINAL;
ASSERT ROWS near VALUES
  ('a', '2026-01-01 00:00:01', '2026-01-01 00:00:02'), ('a', '2026-01-01 00:00:31', NULL);
ADVANCE TIME BY INTERVAL '20 s';
ASSERT ROWS counts VALUES ('2026-01-01 00:00:10', 1), ('2026-01-01 00:00:40', 2);
ASSERT ROWS near VALUES
  ('a', '2026-01-01 00:00:01', '2026-01-01 00:00:02'),
  ('a', '2026-01-01 00:00:31', NULL), ('b', '2026-01-01 00:00:32', NULL);

-- @test: rows that the clock takes out of a view have no end that a watermark knows
CREATE MATERIALIZED VIEW lately AS SELECT page, at FROM clicks WHERE at > now() - INTERVAL '1 minute';
ASSERT ERROR '0A000' FOR CREATE MATERIALIZED VIEW w AS SELECT page, at FROM lately EMIT FINAL;

-- @test: a stream that a query feeds has the watermark that it declares
CREATE STREAM seconds (WATERMARK FOR closed AS closed) WITH (partitions = 1) AS
  SELECT page, window_end AS closed, count(*) AS n FROM TUMBLE(clicks, at, INTERVAL '10 s')
  GROUP BY page, window_start, window_end EMIT FINAL;
CREATE MATERIALIZED VIEW halves AS
  SELECT window_start, sum(n) AS n FROM TUMBLE(seconds, closed, INTERVAL '30 s')
  GROUP BY window_start, window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('b', '2026-01-01 00:00:12');
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:29');
ADVANCE TIME BY INTERVAL '10 s';
ASSERT ROWS (SELECT page, closed, n FROM seconds) VALUES
  ('a', '2026-01-01 00:00:10', 1), ('b', '2026-01-01 00:00:20', 1), ('a', '2026-01-01 00:00:30', 1);
ASSERT ROWS halves VALUES ('2026-01-01 00:00:00', 2);
ASSERT ERROR '42703' FOR CREATE STREAM bad (WATERMARK FOR nothing AS nothing) AS SELECT page FROM clicks;
