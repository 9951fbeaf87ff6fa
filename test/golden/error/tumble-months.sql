SELECT * FROM TUMBLE(bid, date_time, INTERVAL '1 month')
