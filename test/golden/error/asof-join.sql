SELECT * FROM bid ASOF JOIN auction ON bid.auction = auction.id
