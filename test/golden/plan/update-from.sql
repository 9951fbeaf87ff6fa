UPDATE account a SET owner = p.name FROM person p WHERE p.id = a.id
