SELECT name FROM person p WHERE EXISTS (SELECT 1 FROM auction a WHERE a.seller = p.id AND a.reserve > 10)
