create materialized view v as select b.auction, (select a.reserve from auction a where a.seller = b.bidder) as reserve from bid b
