SELECT id, name, owner FROM person FULL JOIN account USING (id)
