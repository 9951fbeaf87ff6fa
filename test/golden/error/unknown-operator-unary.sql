SELECT -name FROM person
