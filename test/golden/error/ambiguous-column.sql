SELECT id FROM person, auction
