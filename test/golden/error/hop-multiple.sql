SELECT * FROM HOP(bid, date_time, INTERVAL '3 s', INTERVAL '10 s')
