SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY date_time PATTERN (a b) DEFINE b AS LAST(a.price + b.price) > 1)
