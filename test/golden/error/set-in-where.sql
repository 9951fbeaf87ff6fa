SELECT 1 FROM bid WHERE generate_series(1, 2) = 1
