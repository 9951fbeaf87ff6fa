SELECT auction, count(*) FROM HOP(bid, date_time, INTERVAL '5 s', INTERVAL '1 min') GROUP BY auction, window_start
