INSERT INTO account (id, balance) VALUES (true, 1)
