SELECT p.id, p.name, count(*) FROM person p JOIN auction a ON a.seller = p.id GROUP BY p.id
