SELECT auction, TUMBLE_END(date_time, INTERVAL '10' SECOND) AS until, count(*) FROM bid WHERE price > 5 GROUP BY auction, TUMBLE(date_time, INTERVAL '10' SECOND)
