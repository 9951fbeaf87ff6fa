SELECT id IN (SELECT id, name FROM person) FROM auction
