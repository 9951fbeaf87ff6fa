SELECT FINAL count(price) FROM bid
