SELECT auction, max(price) FROM bid GROUP BY auction HAVING auction > 5 AND max(price) > 100
