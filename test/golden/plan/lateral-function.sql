SELECT a.id, g FROM auction a, generate_series(1, a.reserve) g
