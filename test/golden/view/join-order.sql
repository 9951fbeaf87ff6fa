SELECT p.name, c.balance, b.price FROM person p, account c, bid b, auction a WHERE b.auction = a.id AND a.seller = p.id AND c.id = b.price AND c.owner = 'ada'
