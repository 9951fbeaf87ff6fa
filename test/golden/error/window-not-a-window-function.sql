SELECT lower(channel) OVER () FROM bid
