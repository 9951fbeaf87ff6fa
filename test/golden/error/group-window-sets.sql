SELECT count(*) FROM bid GROUP BY ROLLUP (auction), SESSION(date_time, INTERVAL '20' SECOND)
