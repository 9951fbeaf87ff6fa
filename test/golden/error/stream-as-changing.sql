CREATE STREAM s AS SELECT auction, count(*) FROM bid GROUP BY auction
