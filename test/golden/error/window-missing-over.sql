SELECT row_number() FROM bid
