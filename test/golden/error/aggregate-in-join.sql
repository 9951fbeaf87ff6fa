SELECT 1 FROM bid a JOIN bid b ON sum(a.price) = b.price
