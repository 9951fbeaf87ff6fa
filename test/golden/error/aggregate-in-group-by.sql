SELECT count(*) FROM bid GROUP BY count(*)
