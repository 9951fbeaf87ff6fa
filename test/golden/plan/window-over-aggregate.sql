SELECT auction, rank() OVER (ORDER BY sum(price) DESC) FROM bid GROUP BY auction
