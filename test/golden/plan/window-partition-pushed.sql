SELECT * FROM (SELECT auction, lag(price) OVER (PARTITION BY auction ORDER BY date_time) AS before FROM bid) x WHERE auction = 3 AND before > 1
