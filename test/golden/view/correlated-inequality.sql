create materialized view v as select b.auction, b.price, (select count(*) from auction a where a.id < b.auction) as n from bid b
