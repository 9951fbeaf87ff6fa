SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY date_time MEASURES lag(price) OVER (ORDER BY date_time) AS p PATTERN (a) DEFINE a AS true)
