SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY date_time PATTERN (a) DEFINE a AS true, b AS price > 1)
