/** Queries without errors and with one right answer, to compare plans with their rewrites and with PostgreSQL. */
export const queries: readonly string[] = `
select auction, price * 2 as p from bid where price > 1 + 2 and auction = 3
select * from bid where price > 2 and true
select * from bid where price > 2 and 1 = 2
select * from bid where price > 2 or 1 = 1
select * from bid where null
select count(*) from bid where 1 = 2
select sum(price), count(price) from bid where price > 100
select auction, count(*), sum(price), min(channel) from bid group by auction
select auction, count(*) from bid group by auction having auction > 2 and count(*) > 1
select auction, bidder, sum(price) from bid group by rollup (auction, bidder)
select auction, bidder, grouping(auction, bidder), count(*) from bid group by cube (auction, bidder) having auction > 1
select x.auction from (select auction, bidder, count(*) as n from bid group by grouping sets ((auction, bidder), (auction))) x where x.auction = 2 and bidder > 1
select a.id, count(*) from auction a join bid b on b.auction = a.id group by a.id
select a.category, count(*), sum(b.price) from auction a left join bid b on b.auction = a.id group by a.id having count(*) > 1 and a.reserve > 0
select b.channel, a.item_name, count(*) from auction a right join bid b on b.auction = a.id group by b.channel, a.id
select a.id, p.name, count(*) from auction a full join person p on p.id = a.id group by a.id, p.id
select count(*), (select count(*) from bid b where b.auction = a.category) from auction a group by a.id
select seller, count(*) from auction group by seller, reserve
select count(*) filter (where price > 2), count(distinct channel), sum(distinct price) from bid
select string_agg(channel, ',' order by channel desc, price), array_agg(price order by price) from bid
select distinct auction, channel from bid
select distinct auction from bid where price > 2 order by auction limit 2
select distinct on (auction) auction, price from bid order by auction, price desc, bidder
select * from (select distinct on (auction) auction, price from bid order by auction, price desc, bidder) x where auction > 1
select a.id, b.price from auction a, bid b where a.id = b.auction and b.price > 2
select a.id, b.price from auction a join bid b on a.id = b.auction and b.price > a.reserve where a.category = 1
select a.id, b.price from auction a left join bid b on a.id = b.auction
select a.id, b.price from auction a left join bid b on a.id = b.auction and b.price > 2
select a.id, b.price from auction a left join bid b on a.id = b.auction and a.category = 1
select a.id, b.price from auction a left join bid b on a.id = b.auction where b.price > 2
select a.id, b.price from auction a left join bid b on a.id = b.auction where b.price is null
select a.id, b.price from auction a left join bid b on a.id = b.auction where coalesce(b.price, 0) < 3
select a.id, b.price from auction a left join bid b on a.id = b.auction where a.reserve > 1 and b.channel = 'a'
select a.id, b.price from auction a right join bid b on a.id = b.auction where b.price > 1
select a.id, b.price from auction a right join bid b on a.id = b.auction where a.reserve > 1
select a.id, b.price from auction a full join bid b on a.id = b.auction
select a.id, b.price from auction a full join bid b on a.id = b.auction where a.id > 1
select a.id, b.price from auction a full join bid b on a.id = b.auction where b.price > 1
select a.id, b.price from auction a full join bid b on a.id = b.auction where a.id > 1 and b.price > 1
select id, item_name, name from person full join auction using (id) where id > 1
select p.id, a.id, b.price from person p left join auction a on a.seller = p.id left join bid b on b.auction = a.id where b.price > 1
select p.id, a.id, b.price from person p left join auction a on a.seller = p.id join bid b on b.auction = a.id
select p.id, x.id from person p left join (auction a join bid b on a.id = b.auction) x on x.seller = p.id
select id from person natural join account
select a.id, b.price from auction a, bid b where (a.id = b.auction and a.reserve > 1) or (a.id = b.auction and b.price > 2 and a.category = 1)
select a.id, b.price from auction a join bid b on (a.id = b.auction and b.price = 1) or (b.price > 2 and b.auction = a.id) or a.id = b.auction
select a.id, b.price from auction a join bid b on (a.id = b.auction and b.price = 1) or a.id = b.auction
select price from bid where (price > 1 and channel = 'a') or (price > 1 and bidder = 1) or (channel = 'a' and bidder < 2)
select price from bid where (price > 1 and channel = 'a') or (channel = 'a' and price is null) or (channel = 'a' and bidder < 2)
select p.name, c.id, a.id, b.price from person p, account c, auction a, bid b where p.id = a.seller and a.id = b.auction and c.id = b.price
select p.name, c.id, b.price from person p, account c, bid b where b.bidder = p.id and (c.id = b.price or c.balance > 1) and b.price <= p.id + c.id
select p.*, m.top, b.* from person p, (select max(price) as top from bid) m, bid b where b.bidder = p.id and b.price < m.top
select q.id, a.category, x.name from person q, (select distinct category from auction) a, person x, auction y where y.seller = x.id and y.category = a.category and q.name is not distinct from x.name
select p.id, x.id, x.price from person p join account c on p.state = c.owner join (select a.id, a.seller, b.price from auction a join bid b on a.id = b.auction) x on x.seller = p.id
select auction from bid where price > 1 union all select id from auction where reserve > 1
select auction from bid union select id from auction
select x from (select auction as x from bid union all select id from auction) u where x > 2
select x from (select auction as x from bid union select id from auction) u where x > 2
select x from (select auction as x from bid intersect all select id from auction) u where x > 1
select x from (select auction as x from bid except all select id from auction) u where x > 1
select auction from bid except select id from auction
select auction from bid intersect select id from auction
select auction, price, rn from (select auction, price, row_number() over (partition by auction order by price desc, bidder, date_time) rn from bid) x where rn <= 2
select auction, price from (select auction, price, row_number() over (partition by auction order by price desc, bidder, date_time) rn from bid) x where rn < 3 and auction > 1
select auction, price from (select auction, price, row_number() over (partition by auction order by price desc, bidder, date_time) rn from bid) x where rn = 2
select auction, price from (select auction, price, row_number() over (partition by auction order by price desc, bidder, date_time) rn from bid) x where rn between 2 and 3
select auction, price from (select auction, price, rank() over (partition by auction order by price desc) rn from bid) x where 2 >= rn
select auction, price, rn from (select auction, price, dense_rank() over (order by price desc nulls last) rn from bid) x where rn <= 2 and price > 1
select auction, price from (select auction, price, rank() over (partition by auction order by price desc) rn from bid) x where rn = 2
select auction, price, rn from (select auction, price, row_number() over (partition by auction order by price, bidder, date_time) rn from bid) x where rn <= 0
select * from (select auction, sum(price) over (partition by auction) as s from bid) x where auction = 2
select * from (select auction, sum(price) over (partition by auction) as s, rank() over (order by price) as r from bid) x where auction = 2
select auction, price, lag(price) over (partition by auction order by price, bidder, date_time) from bid
select auction, rank() over (order by sum(price) desc nulls last) from bid group by auction
select auction from bid order by price desc nulls last, auction, bidder limit 3
select auction from bid where price > 1 order by price, auction, bidder limit 2 offset 1
select price from bid order by price fetch first 2 rows with ties
select * from (select auction, price from bid order by price, auction, bidder limit 5) x where auction > 1
select * from auction a where exists (select 1 from bid where auction = a.id and price > a.reserve)
select * from auction a where not exists (select 1 from bid where auction = a.id and price > a.reserve)
select * from auction a where exists (select 1 from bid where price > 3)
select * from auction a where exists (select 1 from bid where price > 3 limit 1)
select id from auction where id in (select auction from bid)
select id from auction where id not in (select auction from bid)
select id from auction where id not in (select id from person)
select id from auction where id not in (select auction from bid where auction is not null)
select id from auction a where reserve in (select price from bid where auction = a.id)
select id from auction a where category > any (select price from bid where auction = a.id)
select id from auction a where category <= all (select price from bid where auction = a.id)
select id from auction a where id in (select auction from bid group by auction having count(*) > 1)
select id from auction a where exists (select 1 from bid b where b.auction = a.id group by b.bidder having sum(b.price) > 3)
select id from auction a where exists (select distinct channel from bid b where b.auction = a.id) or reserve > 2
select id from auction a where (id, reserve) in (select auction, price from bid)
select a.id, (select max(price) from bid b where b.auction = a.id), (select count(*) from bid b where b.auction = a.id) from auction a
select a.id, (select count(*) + 1 from bid b where b.auction = a.id and b.price > 2) from auction a
select a.id, (select coalesce(sum(b.price), 0) * a.reserve from bid b where b.auction = a.id) from auction a
select a.id, (select name from person p where p.id = a.seller) from auction a
select a.id from auction a where reserve > (select avg(price) from bid where auction = a.id)
select a.id from auction a where reserve > (select avg(price) from bid)
select price, (select max(reserve) from auction) - price from bid
select a.id, (select max(b.price) from bid b where b.price < a.reserve) from auction a
select p.name from person p where 1 < (select count(*) from auction a where a.seller = p.id and exists (select 1 from bid b where b.auction = a.id))
select a.id, (select max(price) from bid where auction = a.id and price > (select min(reserve) from auction where seller = a.seller)) from auction a
select a.seller, max(a.reserve), (select count(*) from person where id = a.seller) from auction a group by a.seller
select a.id, x.price from auction a, lateral (select price from bid where auction = a.id order by price desc, bidder limit 1) x
select a.id, x.price from auction a left join lateral (select price from bid where auction = a.id order by price desc, bidder limit 2) x on true
select a.id, x.bidder, x.n from auction a, lateral (select bidder, count(*) as n from bid where auction = a.id group by bidder) x
select a.id, x.n from auction a, lateral (select count(*) as n from bid where auction = a.id) x
select a.id, x.n from auction a left join lateral (select sum(price) as n from bid where auction = a.id) x on x.n > 2
select a.id, x.s from auction a, lateral (select a.reserve + b.price as s from bid b where b.auction = a.id) x
select a.id, g from auction a, generate_series(1, a.reserve) g
select a.id, g.n, g.o from auction a, unnest(array[1, a.reserve]) with ordinality as g (n, o)
select id, generate_series(1, 2) from auction
select p.id, p.name, count(*) from person p join auction a on a.seller = p.id group by p.id
select window_start, count(*), max(price) from tumble(bid, date_time, interval '10 s') group by window_start
select * from (select window_start, auction, count(*) as n from hop(bid, date_time, interval '10 s', interval '20 s') where price > 1 group by 1, 2) x where auction > 1
with recursive t (n) as (select 1 union all select n + 1 from t where n < 5) select sum(n) from t
with recursive t as (select id, seller from auction union select a.id, t.seller from auction a join t on a.seller = t.id) select * from t where id > 1
with x as (select auction, sum(price) as s from bid group by auction) select * from x where s = (select max(s) from x)
with x as (select auction, sum(price) as s from bid group by auction) select x.auction, y.auction from x, x y where x.s < y.s
select case when price > 2 then 'high' else 'low' end as k, count(*) from bid group by k
select case when 1 = 1 then price else 1 / 0 end from bid
select coalesce(null, price, 1) from bid where not (price is null) and price is not distinct from 2
select price in (1, 2, null), price not in (1, 2), not (price in (1, 2)) from bid
select b1.auction, b1.price from bid b1 where b1.price = (select max(b2.price) from bid b2 where b2.auction = b1.auction)
select q.category, avg(q.final) from (select max(b.price) as final, a.category from auction a, bid b where a.id = b.auction and b.date_time between a.date_time and a.expires group by a.id, a.category) q group by q.category
select count(*) from (select 1 from bid b, auction a where a.id = b.auction) x
select 1 from bid
select s.a from (select auction + 1 as a, price / 1 as b from bid) s where a > 2 and b > 1
select upper(c) from (select channel as c, count(*) as n from bid group by channel) x where n > 1 and c = 'a'
select x.id from (select a.id, b.price from auction a left join bid b on a.id = b.auction) x where x.price > 1
select a.id, b.price from auction a right join bid b on a.id = b.auction where a.reserve is null
select id from auction where reserve not in (select price from bid)
select id from auction where not (reserve in (select price from bid where price is not null))
select id from auction a where reserve not in (select price from bid where auction = a.id)
select id from auction where reserve <> all (select price from bid where price > 2)
select id from auction where reserve < all (select price from bid where auction = 1)
select id from auction where not (reserve < any (select price from bid))
select id from auction where not (reserve < all (select price from bid))
select id from auction where (category, seller) in (select price, bidder from bid)
select id from auction a where (category, seller) in (select price, bidder from bid where auction = a.id)
select id from auction where (category, seller) not in (select price, bidder from bid)
select a.id, x.s, x.t from auction a, lateral (select a.reserve + b.price as s, b.channel || a.id as t from bid b where b.auction = a.id) x where x.s > 1
select a.id, x.s from auction a join lateral (select a.reserve + b.price as s from bid b where b.auction = a.id) x on x.s > a.category
select a.id, x.s from auction a left join lateral (select a.reserve + b.price as s from bid b where b.auction = a.id) x on true
select a.id, b.price from auction a full join bid b on a.id = b.auction where a.reserve is null and b.channel is null
select a.id, (select count(*) from bid having a.id > 1) from auction a
select a.id, x.channel from auction a, lateral (select distinct channel from bid where auction = a.id) x
select a.id, x.channel from auction a left join lateral (select distinct on (channel) channel, price from bid where auction = a.id order by channel, price) x on true
select a.id, (select price from bid where auction = a.id order by price, bidder limit 1) from auction a
select a.id, (select array_agg(price order by price) from bid where auction = a.id) from auction a
select a.id from auction a where 2 in (select count(*) from bid where auction = a.id)
select a.id from auction a where a.id = any (select b.auction from bid b join person p on p.id = b.bidder where b.price > a.reserve)
select p.id from person p where not exists (select 1 from auction a where a.seller = p.id and not exists (select 1 from bid b where b.auction = a.id))
select p.id from person p where p.id in (select a.seller from auction a where a.id in (select auction from bid where price > p.id))
select x.id from (select a.id, a.reserve + 1 as r from auction a) x where exists (select 1 from bid where price = x.r)
select count(*), sum(x.c) from (select (select count(*) from bid where auction = a.id) as c from auction a) x where x.c > 1
select a.id, b.price from auction a left join bid b on a.id = b.auction and exists (select 1 from person p where p.id = b.bidder)
select a.id from auction a join person p on p.id = (select max(bidder) from bid where auction = a.id)
select auction, sum(price) from bid group by auction having sum(price) > (select avg(price) from bid) order by (select 1), auction
select price, exists (select 1 from auction where id = bid.auction) from bid
select price, auction in (select id from auction) from bid
values (1, 'a'), (2, 'b')
select * from (values (1, 'a'), (2, 'b'), (2, 'c')) v (x, y) where x > 1
`
  .trim()
  .split('\n');
