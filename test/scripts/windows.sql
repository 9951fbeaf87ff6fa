CREATE STREAM clicks (
  page text,
  at timestamp,
  WATERMARK FOR at AS at - INTERVAL '5 s'
) WITH (partitions = 2);

-- @test: a tumbling window is there from its first row on, and exact under late rows within the bound
CREATE MATERIALIZED VIEW counts AS
  SELECT page, window_start, count(*) AS n
  FROM TUMBLE(clicks, at, INTERVAL '1 minute')
  GROUP BY page, window_start, window_end;
INSERT INTO clicks VALUES ('a', '2026-01-01 10:00:10'), ('b', '2026-01-01 10:00:20');
ASSERT ROWS counts VALUES ('a', '2026-01-01 10:00', 1), ('b', '2026-01-01 10:00', 1);
INSERT INTO clicks VALUES ('a', '2026-01-01 10:00:18');
ASSERT ROWS counts (page, n) VALUES ('a', 2), ('b', 1);
ASSERT ROWS (SELECT n, page FROM counts ORDER BY n DESC) ORDERED VALUES (2, 'a'), (1, 'b');

-- @test: a window comes out once it is closed, also when nothing comes any more
CREATE MATERIALIZED VIEW counts AS
  SELECT window_start, count(*) AS n
  FROM TUMBLE(clicks, at, INTERVAL '1 minute')
  GROUP BY window_start, window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('b', '2026-01-01 00:00:02');
ASSERT NO ROWS counts;
ASSERT NO VALUES counts;
ADVANCE TIME BY INTERVAL '59 s';
ASSERT NO VALUES counts;
ADVANCE TIME BY INTERVAL '10 s';
ASSERT VALUES counts VALUES ('2026-01-01 00:00', 2);
ASSERT NO VALUES counts;

-- @test: rows behind the watermark go to the relation of late rows
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM clicks GROUP BY page;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:10:00');
ADVANCE TIME BY INTERVAL '11 s';
INSERT INTO clicks VALUES ('b', '2026-01-01 00:00:30');
ASSERT LATE clicks (page, at) VALUES ('b', '2026-01-01 00:00:30');
ASSERT ROWS pages VALUES ('a', 1);

-- @test: an empty partition holds windows back for the idle timeout and no longer
CREATE MATERIALIZED VIEW counts AS
  SELECT window_start, count(*) AS n
  FROM TUMBLE(clicks, at, INTERVAL '10 s')
  GROUP BY window_start, window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:01'), ('a', '2026-01-01 00:00:30');
ASSERT NO ROWS counts;
ADVANCE TIME BY INTERVAL '9 s';
ASSERT NO ROWS counts;
ADVANCE TIME BY INTERVAL '1 s';
ASSERT ROWS counts VALUES ('2026-01-01 00:00', 1);

-- @test: hopping windows overlap
CREATE MATERIALIZED VIEW counts AS
  SELECT window_start, count(*) AS n
  FROM HOP(clicks, at, INTERVAL '30 s', INTERVAL '1 minute')
  GROUP BY window_start, window_end;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:10'), ('a', '2026-01-01 00:00:40');
ASSERT ROWS counts VALUES
  ('2025-12-31 23:59:30', 1), ('2026-01-01 00:00:00', 2), ('2026-01-01 00:00:30', 1);

-- @test: sessions merge when a row comes between them
CREATE MATERIALIZED VIEW visits AS
  SELECT page, window_start, window_end, count(*) AS n
  FROM SESSION(clicks PARTITION BY page, DESCRIPTOR(at), INTERVAL '11 s')
  GROUP BY page, window_start, window_end;
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:00'), ('a', '2026-01-01 00:00:15');
ASSERT VALUES visits (window_start, n) VALUES
  ('2026-01-01 00:00:00', 1), ('2026-01-01 00:00:15', 1);
INSERT INTO clicks VALUES ('a', '2026-01-01 00:00:11');
ASSERT VALUES visits (window_start, window_end, n) VALUES
  ('2026-01-01 00:00:00', '2026-01-01 00:00:26', 3);
ASSERT DELETED VALUES visits (window_start, n) VALUES
  ('2026-01-01 00:00:00', 1), ('2026-01-01 00:00:15', 1);
