SELECT count(*) FROM bid
