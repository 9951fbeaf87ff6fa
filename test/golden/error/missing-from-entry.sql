SELECT x.name FROM person p
