SELECT auction, price, r FROM (SELECT auction, price, rank() OVER (PARTITION BY auction ORDER BY price DESC) AS r FROM bid) x WHERE r < 3
