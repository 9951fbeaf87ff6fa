SELECT DISTINCT ON (auction) auction, price FROM bid ORDER BY auction, price DESC
