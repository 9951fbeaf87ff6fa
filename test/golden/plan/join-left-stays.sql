SELECT a.id, b.price FROM auction a LEFT JOIN bid b ON a.id = b.auction WHERE coalesce(b.price, 0) < 10
