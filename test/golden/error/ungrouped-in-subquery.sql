SELECT a.reserve, (SELECT max(price) FROM bid WHERE auction = a.id) FROM auction a GROUP BY a.reserve
