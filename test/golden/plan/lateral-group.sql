SELECT a.id, s.bidder, s.n FROM auction a, LATERAL (SELECT bidder, count(*) AS n FROM bid WHERE auction = a.id GROUP BY bidder) s
