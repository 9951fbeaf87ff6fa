SELECT * FROM bid MATCH_RECOGNIZE (ORDER BY date_time PATTERN (a b) SUBSET u = (a, c) DEFINE a AS true)
