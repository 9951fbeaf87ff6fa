SELECT count(*) FROM bid HAVING count(*) > 3
