SELECT sum(price) OVER w FROM bid
