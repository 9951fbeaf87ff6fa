CREATE STREAM orders (id int, at timestamp, WATERMARK FOR at AS at);
CREATE STREAM payments (id int, at timestamp, WATERMARK FOR at AS at);

-- @test: an interval join pairs what lies close together, in whatever order it comes
CREATE MATERIALIZED VIEW paid AS
  SELECT o.id FROM orders o JOIN payments p
  ON o.id = p.id AND p.at BETWEEN o.at AND o.at + INTERVAL '10 s';
INSERT INTO payments VALUES (1, '2026-01-01 00:00:05'), (2, '2026-01-01 00:00:30');
INSERT INTO orders VALUES (1, '2026-01-01 00:00:00'), (2, '2026-01-01 00:00:10');
ASSERT ROWS paid VALUES (1);

-- @test: a row without a partner is certain once its window is closed
CREATE MATERIALIZED VIEW unpaid AS
  SELECT o.window_start, o.id, p.id AS payment
  FROM TUMBLE(orders, at, INTERVAL '10 s') o LEFT JOIN TUMBLE(payments, at, INTERVAL '10 s') p
  ON o.id = p.id AND o.window_start = p.window_start AND o.window_end = p.window_end EMIT FINAL;
INSERT INTO orders VALUES (1, '2026-01-01 00:00:00'), (2, '2026-01-01 00:00:01');
INSERT INTO payments VALUES (1, '2026-01-01 00:00:03');
ASSERT NO VALUES unpaid;
ADVANCE TIME BY INTERVAL '1 minute';
ASSERT VALUES unpaid (id, payment) VALUES (1, 1), (2, NULL);
ASSERT NO DELETED VALUES unpaid;
