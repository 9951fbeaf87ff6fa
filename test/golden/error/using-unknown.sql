SELECT * FROM person JOIN bid USING (id)
