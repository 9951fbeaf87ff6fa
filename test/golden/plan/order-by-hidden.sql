SELECT auction FROM bid ORDER BY price DESC, bidder LIMIT 3
