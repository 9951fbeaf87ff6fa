SELECT person.name FROM person p
