SELECT p.id, b.price FROM person p LEFT JOIN auction a ON a.seller = p.id LEFT JOIN bid b ON b.auction = a.id WHERE b.price > 1
