SELECT auction, price FROM bid GROUP BY auction
