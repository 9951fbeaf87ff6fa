SELECT a.id, b.price FROM auction a, bid b WHERE (a.id = b.auction AND a.reserve > 1 AND b.price < 5) OR (b.price > 2 AND a.id = b.auction)
