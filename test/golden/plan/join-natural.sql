SELECT * FROM person NATURAL JOIN account
