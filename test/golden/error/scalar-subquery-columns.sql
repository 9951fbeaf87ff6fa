SELECT (SELECT id, name FROM person)
