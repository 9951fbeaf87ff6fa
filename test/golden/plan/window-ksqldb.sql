SELECT auction, count(*) AS n, windowstart FROM bid WINDOW TUMBLING (SIZE 30 SECONDS) GROUP BY auction
