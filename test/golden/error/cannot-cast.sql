SELECT date_time::int FROM bid
