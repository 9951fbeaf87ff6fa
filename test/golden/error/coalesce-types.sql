SELECT coalesce(id, name) FROM person
