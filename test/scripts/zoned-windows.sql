CREATE STREAM sales (amount int, at timestamptz, WATERMARK FOR at AS at - INTERVAL '5 s') WITH (partitions = 1);

-- @test: a day of a zone is what clocks there show, also when they are set back
CREATE MATERIALIZED VIEW per_day AS
  SELECT window_start, window_end, count(*) AS n, sum(amount) AS total
  FROM TUMBLE(sales, at, INTERVAL '1 day', timezone => 'Europe/Berlin')
  GROUP BY window_start, window_end;
INSERT INTO sales VALUES (1, '2025-10-25 21:59:59Z'), (2, '2025-10-25 22:00:00Z'), (3, '2025-10-26 22:59:59Z'), (4, '2025-10-26 23:00:00Z');
ASSERT ROWS per_day VALUES
  ('2025-10-24 22:00:00Z', '2025-10-25 22:00:00Z', 1, 1),
  ('2025-10-25 22:00:00Z', '2025-10-26 23:00:00Z', 2, 5),
  ('2025-10-26 23:00:00Z', '2025-10-27 23:00:00Z', 1, 4);
ASSERT ROWS (SELECT amount, window_start FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(at), INTERVAL '1' DAY, timezone => 'europe/berlin')) WHERE amount > 2)
  VALUES (3, '2025-10-25 22:00:00Z'), (4, '2025-10-26 23:00:00Z');
ASSERT ROWS (SELECT amount, window_end FROM CUMULATE(sales, at, INTERVAL '12 hours', INTERVAL '1 day', timezone => 'Europe/Berlin') WHERE amount < 3)
  VALUES (1, '2025-10-25 22:00:00Z'), (2, '2025-10-26 11:00:00Z'), (2, '2025-10-26 23:00:00Z');

-- @test: such windows close when the watermark reaches midnight there, and their state goes
CREATE MATERIALIZED VIEW finals AS
  SELECT window_start, sum(amount) AS total FROM TUMBLE(sales, at, INTERVAL '1 day', timezone => 'Europe/Berlin')
  GROUP BY window_start, window_end EMIT FINAL;
CREATE MATERIALIZED VIEW weeks AS
  SELECT window_end, sum(amount) AS total FROM HOP(sales, at, INTERVAL '1 day', INTERVAL '2 days', timezone => 'Europe/Berlin')
  GROUP BY window_start, window_end EMIT FINAL;
INSERT INTO sales VALUES (1, '2025-10-25 21:00:00Z'), (2, '2025-10-25 23:00:00Z'), (3, '2025-10-26 23:00:04Z');
ASSERT ROWS finals VALUES ('2025-10-24 22:00:00Z', 1);
ASSERT ROWS weeks VALUES ('2025-10-25 22:00:00Z', 1);
INSERT INTO sales VALUES (4, '2025-10-26 23:00:05Z');
ASSERT ROWS finals VALUES ('2025-10-24 22:00:00Z', 1), ('2025-10-25 22:00:00Z', 2);
ASSERT ROWS weeks VALUES ('2025-10-25 22:00:00Z', 1), ('2025-10-26 23:00:00Z', 3);

-- @test: rows without a time, or with an endless one, are in no window
CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM HOP(sales, at, INTERVAL '1 hour', INTERVAL '3 hours', timezone => 'Asia/Kathmandu');
INSERT INTO sales VALUES (1, NULL), (2, '2026-01-01 00:00Z');
ASSERT ROWS counts VALUES (3);

-- @test: what has no clocks of a zone is refused
ASSERT ERROR '22023' LIKE '%Mars/Olympus%' FOR
  CREATE MATERIALIZED VIEW v AS SELECT amount FROM TUMBLE(sales, at, INTERVAL '1 day', timezone => 'Mars/Olympus');
ASSERT ERROR '0A000' LIKE '%sessions%' FOR
  CREATE MATERIALIZED VIEW v AS SELECT amount FROM SESSION(sales, at, INTERVAL '1 day', timezone => 'Europe/Berlin');
CREATE STREAM plain (amount int, at timestamp);
ASSERT ERROR '42804' LIKE '%timestamptz%' FOR
  CREATE MATERIALIZED VIEW v AS SELECT amount FROM TUMBLE(plain, at, INTERVAL '1 day', timezone => 'Europe/Berlin');
ASSERT ERROR '42804' LIKE '%constant%' FOR
  CREATE MATERIALIZED VIEW v AS SELECT amount FROM TUMBLE(sales, at, INTERVAL '1 day', timezone => amount);
