SELECT auction % 2, SESSION_START(date_time, INTERVAL '10' SECOND), count(*) FROM bid WHERE price > 5 GROUP BY auction % 2, SESSION(date_time, INTERVAL '10' SECOND)
