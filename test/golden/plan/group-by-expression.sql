SELECT date_trunc('hour', date_time) AS hour, count(*) FROM bid GROUP BY hour
