-- Flink's group windows by event time, and windows of windows by their last millisecond.

CREATE STREAM trades (symbol text, price numeric(10, 2), at timestamp, WATERMARK FOR at AS at - INTERVAL '30 s') WITH (idle_timeout = '0');

-- @test: the average of a minute counts trades that come half a minute late
CREATE MATERIALIZED VIEW averages AS
  SELECT symbol, TUMBLE_START(at, INTERVAL '1' MINUTE) AS since, avg(price)::numeric(10, 2) AS average
  FROM trades GROUP BY symbol, TUMBLE(at, INTERVAL '1' MINUTE) EMIT FINAL;
INSERT INTO trades VALUES ('ACME', 10, '2026-01-01 00:00:10'), ('ACME', 20, '2026-01-01 00:00:59');
INSERT INTO trades VALUES ('ACME', 90, '2026-01-01 00:01:29');
INSERT INTO trades VALUES ('ACME', 33, '2026-01-01 00:00:59');
ASSERT NO ROWS averages;
INSERT INTO trades VALUES ('ACME', 91, '2026-01-01 00:01:30');
ASSERT ROWS averages VALUES ('ACME', '2026-01-01 00:00', 21.00);
INSERT INTO trades VALUES ('ACME', 1, '2026-01-01 00:00:59');
ASSERT LATE trades (price) VALUES (1);
ASSERT ROWS averages VALUES ('ACME', '2026-01-01 00:00', 21.00);

-- @test: hours of minutes close with their last minute
CREATE MATERIALIZED VIEW minutes AS
  SELECT symbol, TUMBLE_ROWTIME(at, INTERVAL '1' MINUTE) AS at, max(price) AS high FROM trades GROUP BY symbol, TUMBLE(at, INTERVAL '1' MINUTE);
CREATE MATERIALIZED VIEW hours AS
  SELECT TUMBLE_END(at, INTERVAL '1' HOUR) AS until, count(*) AS n, max(high) AS high FROM minutes GROUP BY TUMBLE(at, INTERVAL '1' HOUR) EMIT FINAL;
CREATE MATERIALIZED VIEW table_hours AS
  SELECT window_end, count(*) AS n FROM TUMBLE((SELECT window_time, count(*) AS n FROM TABLE(TUMBLE(TABLE trades, DESCRIPTOR(at), INTERVAL '1' MINUTE))
    GROUP BY window_start, window_end, window_time), window_time, INTERVAL '1 hour') GROUP BY window_start, window_end EMIT FINAL;
INSERT INTO trades VALUES ('ACME', 10, '2026-01-01 00:00:10'), ('ACME', 20, '2026-01-01 00:59:59'), ('ACME', 30, '2026-01-01 01:00:29');
ASSERT NO ROWS hours;
INSERT INTO trades VALUES ('ACME', 10, '2026-01-01 01:00:30');
ASSERT ROWS hours VALUES ('2026-01-01 01:00', 2, 20.00);
ASSERT ROWS table_hours VALUES ('2026-01-01 01:00', 2);

-- @test: sessions of a group that is computed, of the rows that are kept
CREATE MATERIALIZED VIEW bursts AS
  SELECT lower(symbol) AS name, SESSION_START(at, INTERVAL '10' SECOND) AS since, SESSION_END(at, INTERVAL '10' SECOND) AS until, count(*) AS n
  FROM trades WHERE price > 5 GROUP BY lower(symbol), SESSION(at, INTERVAL '10' SECOND) EMIT FINAL;
INSERT INTO trades VALUES ('ACME', 10, '2026-01-01 00:00:10'), ('acme', 9, '2026-01-01 00:00:01'), ('acme', 1, '2026-01-01 00:00:18'), ('Acme', 8, '2026-01-01 00:00:25');
INSERT INTO trades VALUES ('other', 10, '2026-01-01 00:01:30');
ASSERT ROWS bursts VALUES ('acme', '2026-01-01 00:00:01', '2026-01-01 00:00:20', 2), ('acme', '2026-01-01 00:00:25', '2026-01-01 00:00:35', 1);

-- @test: rows that WHERE leaves out hold no sessions together, in either spelling
CREATE TABLE kept AS
  SELECT symbol, window_start, window_end, count(*) AS n FROM trades WINDOW SESSION (10 SECONDS) WHERE price > 5 GROUP BY symbol;
CREATE MATERIALIZED VIEW also_kept AS
  SELECT symbol, SESSION_START(at, INTERVAL '10' SECOND), SESSION_END(at, INTERVAL '10' SECOND), count(*) AS n
  FROM trades WHERE price > 5 GROUP BY symbol, SESSION(at, INTERVAL '10' SECOND);
INSERT INTO trades VALUES ('ACME', 9, '2026-01-01 00:00:01'), ('ACME', 1, '2026-01-01 00:00:09'), ('ACME', 9, '2026-01-01 00:00:15');
ASSERT ROWS kept VALUES
  ('ACME', '2026-01-01 00:00:01', '2026-01-01 00:00:11', 1), ('ACME', '2026-01-01 00:00:15', '2026-01-01 00:00:25', 1);
ASSERT ROWS also_kept VALUES
  ('ACME', '2026-01-01 00:00:01', '2026-01-01 00:00:11', 1), ('ACME', '2026-01-01 00:00:15', '2026-01-01 00:00:25', 1);
