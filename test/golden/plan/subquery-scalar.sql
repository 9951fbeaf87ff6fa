SELECT price FROM bid WHERE price > (SELECT avg(price) FROM bid)
