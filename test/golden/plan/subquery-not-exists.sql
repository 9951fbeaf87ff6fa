SELECT name FROM person p WHERE NOT EXISTS (SELECT 1 FROM auction a WHERE a.seller = p.id)
