SELECT count(*) FROM bid GROUP BY HOP(date_time)
