SELECT a.id, b.price FROM auction a LEFT JOIN bid b ON a.id = b.auction WHERE b.price > 10
