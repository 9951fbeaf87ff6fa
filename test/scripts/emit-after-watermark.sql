-- Windows early, on time and late: EMIT EVERY … AND AFTER WATERMARK, and the grace of late records.

CREATE STREAM taps (page text, at timestamp, WATERMARK FOR at AS at - INTERVAL '5 s') WITH (idle_timeout = '0');

-- @test: a window is shown every so often, when it ends, and with each late record
CREATE TABLE per_minute AS
  SELECT page, window_start, count(*) AS taps FROM taps WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 30 SECONDS)
  GROUP BY page, window_start EMIT EVERY INTERVAL '10 s' AND AFTER WATERMARK;
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:01');
ADVANCE TIME BY INTERVAL '1 s';
ASSERT VALUES per_minute VALUES ('home', '2026-01-01 00:00:00', 1);
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:20'), ('home', '2026-01-01 00:00:16');
ASSERT NO VALUES per_minute;
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:40');
ADVANCE TIME BY INTERVAL '10 s';
-- Of what came in between there is one change.
ASSERT DELETED VALUES per_minute VALUES ('home', '2026-01-01 00:00:00', 1);
ASSERT VALUES per_minute VALUES ('home', '2026-01-01 00:00:00', 4);
-- The window ends before ten seconds are over; the next one waits for them.
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:59'), ('home', '2026-01-01 00:01:05');
ASSERT VALUES per_minute VALUES ('home', '2026-01-01 00:00:00', 5);
-- Late records within the grace are shown at once, later ones never.
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:03');
ASSERT LATE taps (page, at) VALUES ('home', '2026-01-01 00:00:03');
ASSERT VALUES per_minute VALUES ('home', '2026-01-01 00:00:00', 6);
INSERT INTO taps VALUES ('home', '2026-01-01 00:01:45');
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:04');
ADVANCE TIME BY INTERVAL '10 s';
ASSERT ROWS per_minute VALUES ('home', '2026-01-01 00:00:00', 6), ('home', '2026-01-01 00:01:00', 2);

-- @test: without EVERY nothing is shown early
CREATE TABLE per_minute AS
  SELECT page, count(*) AS taps FROM taps WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 30 SECONDS)
  GROUP BY page EMIT AFTER WATERMARK;
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:01'), ('home', '2026-01-01 00:01:01');
ADVANCE TIME BY INTERVAL '1 minute';
ASSERT NO ROWS per_minute;
INSERT INTO taps VALUES ('home', '2026-01-01 00:01:06');
ASSERT ROWS per_minute VALUES ('home', 1);
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:30');
ASSERT ROWS per_minute VALUES ('home', 2);

-- @test: sessions are shown early and at their end
CREATE MATERIALIZED VIEW visits AS
  SELECT page, SESSION_START(at, INTERVAL '20' SECOND) AS since, SESSION_END(at, INTERVAL '20' SECOND) AS until, count(*) AS taps
  FROM taps GROUP BY page, SESSION(at, INTERVAL '20' SECOND) EMIT EVERY INTERVAL '1 minute' AND AFTER WATERMARK;
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:01');
ADVANCE TIME BY INTERVAL '1 s';
ASSERT VALUES visits VALUES ('home', '2026-01-01 00:00:01', '2026-01-01 00:00:21', 1);
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:15');
ASSERT ROWS visits VALUES ('home', '2026-01-01 00:00:01', '2026-01-01 00:00:21', 1);
INSERT INTO taps VALUES ('home', '2026-01-01 00:00:50');
ASSERT ROWS visits VALUES ('home', '2026-01-01 00:00:01', '2026-01-01 00:00:35', 2);

-- @test: it needs a time that closes, and windows that stay
ASSERT ERROR '0A000' LIKE '%RETENTION takes them back%' FOR
  CREATE TABLE v AS SELECT page, count(*) FROM taps WINDOW TUMBLING (SIZE 1 MINUTE, RETENTION 1 HOUR) GROUP BY page EMIT AFTER WATERMARK;
ASSERT ERROR '0A000' LIKE '%needs rows with a time that closes%' FOR
  CREATE MATERIALIZED VIEW v AS SELECT page, count(*) FROM taps GROUP BY page EMIT AFTER WATERMARK;
