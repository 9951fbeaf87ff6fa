create materialized view v as select a.id, q.n, q.top from auction a, lateral (select count(*) as n, max(b.price) as top from bid b where b.auction = a.id and b.price > a.reserve) as q
