SELECT * FROM person p, (SELECT * FROM auction WHERE seller = p.id) a
