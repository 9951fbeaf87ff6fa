SELECT a.id, top.price FROM auction a, LATERAL (SELECT price FROM bid WHERE auction = a.id ORDER BY price DESC LIMIT 2) top
