SELECT DISTINCT ON (auction) auction FROM bid ORDER BY price
