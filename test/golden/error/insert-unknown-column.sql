INSERT INTO account (id, ownr) VALUES (1, 'x')
