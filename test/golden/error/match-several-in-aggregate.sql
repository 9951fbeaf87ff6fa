SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY date_time MEASURES sum(a.price * b.price) AS s PATTERN (a b) DEFINE b AS true)
