SELECT b.price, (SELECT name FROM person WHERE id = b.bidder) FROM bid b
