create materialized view v as with recursive r(a, b) as (select id, seller from auction union select r.a, auction.seller from r join auction on auction.id = r.b) select a, count(*) from r group by a
