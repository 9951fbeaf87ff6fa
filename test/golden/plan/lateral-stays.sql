SELECT a.id, s.x FROM auction a, LATERAL (SELECT a.reserve + price AS x FROM bid WHERE auction = a.id) s
