SELECT a.id, b.price FROM auction a LEFT JOIN bid b ON a.id = b.auction AND b.price > 10 AND a.category = 1
