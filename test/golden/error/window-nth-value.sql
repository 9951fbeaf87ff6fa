SELECT nth_value(price, 0) OVER (ORDER BY price) FROM bid
