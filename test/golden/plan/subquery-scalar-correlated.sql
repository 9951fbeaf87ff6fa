SELECT a.id, (SELECT max(price) FROM bid b WHERE b.auction = a.id) AS highest, (SELECT count(*) FROM bid b WHERE b.auction = a.id) AS bids FROM auction a
