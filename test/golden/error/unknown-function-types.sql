SELECT lower(1, 2)
