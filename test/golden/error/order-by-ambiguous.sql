SELECT auction AS x, price AS x FROM bid ORDER BY x
