create materialized view v as select auction, unnest(array[price, auction]) as x, generate_series(1, 3) as n from bid
