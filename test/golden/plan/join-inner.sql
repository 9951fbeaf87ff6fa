SELECT a.item_name, b.price FROM auction a JOIN bid b ON a.id = b.auction WHERE a.category = 10 AND b.price > 100
