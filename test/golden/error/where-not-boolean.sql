SELECT id FROM person WHERE id
