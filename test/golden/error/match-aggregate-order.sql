SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY date_time MEASURES array_agg(price ORDER BY price) AS p PATTERN (a) DEFINE a AS true)
