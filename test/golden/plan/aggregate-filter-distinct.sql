SELECT count(DISTINCT bidder) FILTER (WHERE price > 10), string_agg(channel, ',' ORDER BY price DESC) FROM bid
