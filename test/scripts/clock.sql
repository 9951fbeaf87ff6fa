CREATE TABLE sessions (id int PRIMARY KEY, seen timestamptz DEFAULT now());

-- @test: a condition on now() takes rows back by the clock
CREATE MATERIALIZED VIEW active AS
  SELECT id FROM sessions WHERE seen > now() - INTERVAL '1 hour';
INSERT INTO sessions (id) VALUES (1);
ADVANCE TIME BY INTERVAL '40 minutes';
INSERT INTO sessions (id) VALUES (2);
ASSERT ROWS active VALUES (1), (2);
ADVANCE TIME BY INTERVAL '20 minutes';
ASSERT ROWS active VALUES (2);
ASSERT DELETED VALUES active VALUES (1);
ADVANCE TIME TO '2026-01-02 00:00:00+00';
ASSERT NO ROWS active;
ASSERT ROWS sessions VALUES
  (1, '2026-01-01 00:00:00+00'), (2, '2026-01-01 00:40:00+00');

-- @test: a row that is not due yet comes when its time is there
CREATE MATERIALIZED VIEW due AS SELECT id FROM sessions WHERE seen <= now();
INSERT INTO sessions VALUES (7, '2026-01-01 00:00:05+00');
ASSERT NO ROWS due;
ADVANCE TIME BY INTERVAL '5 s';
ASSERT ROWS due VALUES (7);

-- @test: errors have a state and a text
ASSERT ERROR '42P01' LIKE '%"nothing"%' FOR SELECT * FROM nothing;
ASSERT ERROR '22012' FOR SELECT 1 / 0;
ASSERT ERROR FOR INSERT INTO sessions VALUES (1), (1);
ASSERT NO ROWS sessions;
