SELECT b.price, v.rate, u.day FROM bid AS b JOIN (VALUES (1, 2), (2, 3)) AS v(auction, rate) ON b.auction = v.auction CROSS JOIN unnest(ARRAY['mon', 'tue']) AS u(day)
