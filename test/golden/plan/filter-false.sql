SELECT auction FROM bid WHERE price > 1 AND 1 = 2
