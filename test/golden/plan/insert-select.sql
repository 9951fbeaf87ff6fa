INSERT INTO account SELECT id, name, 0 FROM person WHERE city = 'x'
