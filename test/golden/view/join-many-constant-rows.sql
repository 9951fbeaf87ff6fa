SELECT b.price, g.n FROM bid AS b JOIN generate_series(1, 1000) AS g(n) ON b.auction = g.n
