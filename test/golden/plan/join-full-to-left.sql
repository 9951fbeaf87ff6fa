SELECT a.id, b.price FROM auction a FULL JOIN bid b ON a.id = b.auction WHERE a.id > 3
