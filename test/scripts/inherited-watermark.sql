CREATE STREAM clicks (page text, n int, at timestamp, WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (idle_timeout = '20 s');

-- @test: a stream that a query feeds has the watermark of the time that it passes on
CREATE STREAM few AS SELECT CASE WHEN n > 0 THEN upper(page) END AS page, at AS "When" FROM clicks;
CREATE STREAM fewer (what, "At it") AS SELECT page, "When" FROM few WHERE page <> 'C';
CREATE MATERIALIZED VIEW counts AS
  SELECT page, window_end, count(*) AS n FROM TUMBLE(few, "When", INTERVAL '10 seconds') WHERE page > '' GROUP BY page, window_end EMIT FINAL;
CREATE TABLE more AS
  SELECT what, count(*) AS n FROM fewer WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY what, window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', 1, '2026-01-01 00:00:01'), ('b', 0, '2026-01-01 00:00:08'), ('a', 1, '2026-01-01 00:00:03');
INSERT INTO clicks VALUES ('c', 1, '2026-01-01 00:00:14.999999');
ASSERT NO ROWS counts;
INSERT INTO clicks VALUES ('a', 1, '2026-01-01 00:00:15'), ('a', 9, '2026-01-01 00:00:02');
ASSERT LATE clicks (n) VALUES (9);
ASSERT NO ROWS few_late;
ASSERT ROWS counts VALUES ('A', '2026-01-01 00:00:10', 2);
ASSERT ROWS more VALUES ('A', 2);
ASSERT ROWS (SELECT "When" FROM few) VALUES ('2026-01-01 00:00:01'), ('2026-01-01 00:00:08'), ('2026-01-01 00:00:03'),
  ('2026-01-01 00:00:14.999999'), ('2026-01-01 00:00:15');
ADVANCE TIME BY INTERVAL '15 seconds';
ASSERT ROWS counts VALUES ('A', '2026-01-01 00:00:10', 2);
ADVANCE TIME BY INTERVAL '15 seconds';
ASSERT ROWS counts VALUES ('A', '2026-01-01 00:00:10', 2), ('A', '2026-01-01 00:00:20', 1), ('C', '2026-01-01 00:00:20', 1);
ASSERT ROWS more VALUES ('A', 2);

-- @test: a clause of its own is what counts
CREATE STREAM own (WATERMARK FOR at AS at) AS SELECT page, at FROM clicks;
CREATE MATERIALIZED VIEW counts AS
  SELECT window_end, count(*) AS n FROM TUMBLE(own, at, INTERVAL '10 seconds') GROUP BY window_end EMIT FINAL;
INSERT INTO clicks VALUES ('a', 1, '2026-01-01 00:00:10'), ('a', 1, '2026-01-01 00:00:09');
ASSERT ROWS own_late (page) VALUES ('a');

-- @test: a time that is computed, or records in no order, have none to inherit
CREATE STREAM shifted AS SELECT at + INTERVAL '1 hour' AS at FROM clicks;
CREATE STREAM parted (at timestamp, WATERMARK FOR at AS at) WITH (partitions = 2);
CREATE STREAM mixed AS SELECT at FROM parted;
CREATE STREAM both_of_them AS SELECT at FROM clicks UNION ALL SELECT at FROM clicks;
CREATE STREAM windowed AS SELECT at, window_end FROM TUMBLE(clicks, at, INTERVAL '10 seconds');
ASSERT ERROR '42P01' FOR SELECT * FROM shifted_late;
ASSERT ERROR '42P01' FOR SELECT * FROM mixed_late;
ASSERT ERROR '42P01' FOR SELECT * FROM both_of_them_late;
ASSERT ERROR '42P01' FOR SELECT * FROM windowed_late;
ASSERT ERROR LIKE '%' FOR CREATE MATERIALIZED VIEW never AS
  SELECT window_end, count(*) AS n FROM TUMBLE(mixed, at, INTERVAL '10 seconds') GROUP BY window_end EMIT FINAL;

-- @test: a topic in which others may have written has none either
CREATE STREAM written (at timestamp) WITH (kafka_topic = 'shared');
INSERT INTO written VALUES ('2026-01-01 00:00:30');
CREATE STREAM shared WITH (kafka_topic = 'shared') AS SELECT at FROM clicks;
CREATE MATERIALIZED VIEW read AS SELECT at FROM shared;
INSERT INTO clicks VALUES ('a', 1, '2026-01-01 00:00:10');
ASSERT ROWS read VALUES ('2026-01-01 00:00:30'), ('2026-01-01 00:00:10');

-- @test: a watermark over other columns stays with them
CREATE STREAM delayed (page text, at timestamp, slack int, WATERMARK FOR at AS at - slack * INTERVAL '1 second');
CREATE STREAM passed AS SELECT at, page FROM delayed;
ASSERT ERROR '42P01' FOR SELECT * FROM passed_late;

-- @test: a record that a condition leaves out is no silence
CREATE STREAM few AS SELECT page, at FROM clicks WHERE n > 0;
CREATE MATERIALIZED VIEW read AS SELECT page FROM few;
INSERT INTO clicks VALUES ('a', 1, '2026-01-01 00:00:01');
ADVANCE TIME BY INTERVAL '15 seconds';
INSERT INTO clicks VALUES ('b', 0, '2026-01-01 00:00:02');
ADVANCE TIME BY INTERVAL '15 seconds';
INSERT INTO clicks VALUES ('b', 0, '2026-01-01 00:00:03');
ADVANCE TIME BY INTERVAL '15 seconds';
INSERT INTO clicks VALUES ('c', 1, '2026-01-01 00:00:04');
ASSERT NO ROWS clicks_late;
ASSERT ROWS read VALUES ('a'), ('c');
