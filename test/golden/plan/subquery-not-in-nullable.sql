SELECT name FROM person WHERE id NOT IN (SELECT seller FROM auction)
