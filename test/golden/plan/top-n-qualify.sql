SELECT auction, price FROM bid QUALIFY row_number() OVER (PARTITION BY auction ORDER BY date_time DESC) = 1
