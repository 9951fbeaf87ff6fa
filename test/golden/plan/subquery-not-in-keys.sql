SELECT id FROM auction WHERE id NOT IN (SELECT id FROM person)
