SELECT sum(price), sum(price) * 2, sum(price) FILTER (WHERE price > 1) FROM bid
