SELECT grouping(price) FROM bid GROUP BY auction
