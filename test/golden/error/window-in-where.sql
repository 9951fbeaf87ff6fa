SELECT auction FROM bid WHERE row_number() OVER () <= 3
