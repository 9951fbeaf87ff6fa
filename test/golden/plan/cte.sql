WITH totals AS (SELECT auction, sum(price) AS total FROM bid GROUP BY auction) SELECT auction FROM totals WHERE total = (SELECT max(total) FROM totals)
