SELECT window_start, window_end, count(*) FROM TUMBLE(bid, date_time, INTERVAL '10' SECOND) WHERE price > 3 GROUP BY window_start, window_end
