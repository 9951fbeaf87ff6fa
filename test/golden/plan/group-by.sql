SELECT auction, count(*) AS bids, sum(price) AS total FROM bid GROUP BY auction
