SELECT name + 1 FROM person
