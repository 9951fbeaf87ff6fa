create materialized view v as select auction, sum(price) as total from bid group by auction having sum(price) > (select sum(price) * 0.01 from bid)
