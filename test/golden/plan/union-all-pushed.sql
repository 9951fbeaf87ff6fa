SELECT * FROM (SELECT auction AS x, price FROM bid UNION ALL SELECT id, reserve FROM auction) u WHERE x = 3
