SELECT auction, sum(price) OVER w, rank() OVER (w ORDER BY price) FROM bid WINDOW w AS (PARTITION BY auction)
