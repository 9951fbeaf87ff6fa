SELECT b.price FROM auction a JOIN bid b ON b.date_time BETWEEN a.date_time AND a.expires
