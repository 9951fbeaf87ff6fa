SELECT a.item_name, b.price FROM auction a, bid b, person p WHERE a.id = b.auction AND p.id = a.seller AND b.price > a.reserve
