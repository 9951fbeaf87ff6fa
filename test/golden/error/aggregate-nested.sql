SELECT sum(count(*)) FROM bid
