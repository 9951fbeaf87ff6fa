SELECT * FROM (person p CROSS JOIN auction a) JOIN account USING (id)
