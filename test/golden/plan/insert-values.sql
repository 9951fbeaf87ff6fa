INSERT INTO account (id, balance) VALUES (1, 2.5), (2, DEFAULT)
