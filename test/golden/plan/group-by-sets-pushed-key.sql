SELECT * FROM (SELECT auction, bidder, count(*) AS n FROM bid GROUP BY GROUPING SETS ((auction, bidder), (auction))) x WHERE auction = 1 AND bidder = 2
