SELECT auction FROM bid LIMIT price
