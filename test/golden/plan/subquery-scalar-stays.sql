SELECT b.price, (SELECT id FROM auction WHERE seller = b.bidder) FROM bid b
