SELECT auction, count(*) FROM bid
