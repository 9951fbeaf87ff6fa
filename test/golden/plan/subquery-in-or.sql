SELECT name FROM person WHERE id IN (SELECT seller FROM auction) OR city = 'x'
