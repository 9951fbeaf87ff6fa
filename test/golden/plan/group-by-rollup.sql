SELECT auction, bidder, grouping(auction, bidder), sum(price) FROM bid GROUP BY ROLLUP (auction, bidder)
