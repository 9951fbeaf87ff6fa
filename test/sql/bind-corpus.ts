/** Queries over the tables of catalog-fixture.ts, for comparison with PostgreSQL: names and types of columns, or the SQLSTATE. */

/** Queries that PostgreSQL accepts. */
export const accepted: readonly string[] = `
select 1
select 1, 2.5, 'x', null, true, 3000000000, 99999999999999999999, -2147483648, 1e3, 0x1f
select 'a' as a, 'b'::text, 'c'::varchar(3), 'd'::char(2), '1'::int, 1::text
select date '2024-01-01', time '10:00', timestamp '2024-01-01 10:00', timestamptz '2024-01-01 10:00+02', interval '1 day', interval '1' hour
select interval '1-2' year to month, interval '3 4:05' day to minute, interval '1.5' second(1)
select *
  from person
select p.* from person p
select person.*, auction.id from person, auction
select p from person p
select (p).name from person p
select p.id + 1 from person p
select id, id from person
select id as "Id", name as n from person
select name || ' ' || city from person
select upper(name), length(city), city from person
select name::varchar(3), id::text, id::int4, balance::int from person, account
select case when id > 1 then 'a' else 'b' end from person
select case id when 1 then 2 when 2 then 2.5 end from person
select case when id = 1 then null else balance end from account
select case when true then i2 else i8 end, case when true then v else 'x' end from kinds
select coalesce(name, city, 'none'), nullif(id, 3), greatest(1, 2.5), least(i2, i8) from person, kinds
select coalesce(null, null), nullif(null, null), nullif('a', 'b'), greatest('a', 'b')
select nullif(i2, i8), nullif(i4, n), nullif(d, ts), nullif(f4, f8), nullif(t, 'x') from kinds
select array[1, 2, 3], array[1, 2.5], array['a', null], array[[1, 2], [3, 4]], array[]::int[]
select ai[1], at[2], (array[1,2])[1], ai[1] + 1 from kinds
select row(1, 'a'), (1, 2)
select exists (select 1 from bid), (select 1), (select name from person limit 1), array(select id from person)
select id in (1, 2, 3), id in (select auction from bid), id not in (1, 2.5), name in ('a', 'b') from person
select (id, name) in (select auction, channel from bid) from person
select id = any (array[1, 2]), id = any ('{1,2}'), id < all (select price from bid), i4 = any (ai) from person, kinds
select 1 between 0 and 2, 'b' between 'a' and 'c', d between '2024-01-01' and now() from kinds
select name like 'a%', name ilike 'a%', name not like 'a!%' escape '!', name similar to 'a%' from person
select b is true, b is not false, b is unknown, t is null, t is not null, i4 is distinct from 3, (1, 2) is null from kinds
select not b, b and true, b or null, not (b and b) from kinds
select -i4, +i8, -n, -f8, @ i4, |/ f8, - interval '1 day' from kinds
select i4 / 2, i4 / 2.0, i8 % 3, n * 2, f4 + 1, i2 + i2, i2 + 1, i4 + i8, m + m, m * 2, n ^ 2, 2 ^ 3 from kinds
select d + 1, d - d, d + interval '1 day', ts - ts, ts + iv, tz - iv, tm + iv, d + tm, iv * 2, iv / 2, 2 * iv from kinds
select d = '2024-01-01', ts > '2024-01-01', ts > d, tz > ts, d < tz from kinds
select jb -> 'a', jb ->> 'a', jb #> '{a,b}', jb #>> '{a,b}', jb @> '{"a":1}', jb ? 'a', j -> 0, jb - 'a', jb || jb from kinds
select extract(year from ts), extract(epoch from tz), date_trunc('day', ts), date_trunc('day', tz), date_part('hour', ts) from kinds
select substring(t from 2 for 3), position('a' in t), trim(both 'x' from t), overlay(t placing 'x' from 2), lower(t) from kinds
select ts at time zone 'UTC', tz at time zone 'UTC' from kinds
select current_date, current_timestamp, localtimestamp, now(), current_timestamp(3)
select to_timestamp(0), to_char(ts, 'YYYY'), age(ts, ts) from kinds
select round(n, 2), round(f8), abs(i4), abs(n), ceil(n), floor(f8), sqrt(f8), power(n, 2), mod(i4, 2), sign(n), trunc(n, 1) from kinds
select md5(t), replace(t, 'a', 'b'), split_part(t, ',', 1), left(t, 2), right(t, 2), repeat(t, 2), lpad(t, 3), reverse(t), concat(t, 1) from kinds
select text(i4), float8(i4), int4(f8), date(ts), varchar(t) from kinds
select count(*), count(id), count(distinct name), sum(id), avg(id), min(name), max(date_time) from person
select sum(i2), sum(i4), sum(i8), sum(n), sum(m), sum(f4), sum(f8), sum(iv), avg(i2), avg(i8), avg(n), avg(f4), avg(f8), avg(iv) from kinds
select min(i2), min(i4), min(i8), min(n), min(f4), min(t), min(v), min(c), min(d), min(ts), min(tz), min(tm), min(iv), min(m) from kinds
select bool_and(b), bool_or(b), every(b), array_agg(i4), array_agg(t), string_agg(t, ','), jsonb_agg(i4), json_agg(t) from kinds
select count(*) filter (where price > 10), sum(price) filter (where channel = 'a') from bid
select array_agg(price order by price desc), string_agg(channel, ',' order by price) from bid
select stddev(i4), variance(n), stddev_pop(f8), var_samp(i8) from kinds
select auction, count(*) from bid group by auction
select auction, count(*) from bid group by 1
select auction as a, count(*) as n from bid group by a
select price / 10 as bucket, count(*) from bid group by bucket
select price / 10, count(*) from bid group by price / 10
select price / 10 + 1, count(*) from bid group by price / 10
select auction, max(price) from bid group by auction having max(price) > 10
select auction from bid group by auction having count(*) > 1 order by count(*) desc
select count(*) from bid having count(*) > 1
select 1 from bid having true
select auction, bidder, sum(price) from bid group by rollup (auction, bidder)
select auction, bidder, sum(price), grouping(auction, bidder) from bid group by cube (auction, bidder)
select auction, bidder, sum(price) from bid group by grouping sets ((auction, bidder), (auction), ())
select auction, bidder, channel, count(*) from bid group by auction, rollup (bidder), grouping sets ((channel), ())
select auction, count(*) from bid group by (auction)
select auction, bidder, count(*) from bid group by (auction, bidder)
select count(*) from bid group by ()
select p.id, p.name, count(*) from person p join auction a on a.seller = p.id group by p.id
select p.name || 'x', max(a.reserve) from person p join auction a on a.seller = p.id group by p.id
select id, upper(owner) from account group by id
select distinct auction from bid
select distinct auction, price + 1 from bid order by auction
select distinct on (auction) auction, price from bid order by auction, price desc
select distinct on (auction) price, channel from bid
select distinct on (1) auction, price from bid order by 1, 2
select auction from bid order by price
select auction as x from bid order by x
select auction, price from bid order by 2 desc, 1
select auction + 1 from bid order by auction + 1
select auction from bid order by auction + price desc nulls last
select auction as price from bid order by price
select -auction as auction from bid order by auction
select auction from bid limit 5
select auction from bid limit 5 offset 2
select auction from bid limit '3'
select auction from bid limit 2.5
select auction from bid limit null offset null
select auction from bid limit all
select auction from bid order by price fetch first 3 rows only
select auction from bid order by price fetch first 3 rows with ties
select a.id, b.price from auction a join bid b on a.id = b.auction
select a.id, b.price from auction a left join bid b on a.id = b.auction
select a.id, b.price from auction a right join bid b on a.id = b.auction
select a.id, b.price from auction a full join bid b on a.id = b.auction
select * from auction a cross join bid b
select * from person join auction using (id)
select * from person left join auction using (id)
select * from person right join auction using (id)
select * from person full join auction using (id)
select id, person.id, auction.id from person full join auction using (id)
select * from person natural join auction
select * from person natural left join account
select j.id from person join auction using (id) as j
select * from person join account using (id)
select * from (person p join auction a on p.id = a.seller) as x (c1, c2)
select x.c1 from (person p join auction a on p.id = a.seller) as x (c1, c2)
select * from (select 1 as a, 2 as b) s
select s.a from (select 1 as a) s
select a from (select 1 as a)
select * from (values (1, 'a'), (2, 'b')) v (x, y)
select * from (values (1), (2.5), (null)) v
select column1 from (values (1, 'a')) v
values (1, 'a'), (2, null)
values (1), (2.5) order by 1 desc
table person
select * from person p, lateral (select * from auction a where a.seller = p.id) x
select p.id, x.c from person p left join lateral (select count(*) as c from auction a where a.seller = p.id) x on true
select * from person p, generate_series(1, p.id) g
select g from generate_series(1, 3) g
select g.g from generate_series(1, 3) as g
select x from generate_series(1, 3) as g (x)
select * from generate_series(1, 3) with ordinality
select * from generate_series(1::bigint, 3) with ordinality as g (a, b)
select * from generate_series(timestamp '2024-01-01', '2024-01-02', '1 hour')
select * from unnest(array[1, 2, 3]) u
select * from unnest(array[1, 2], array['a', 'b']) as u (a, b)
select e.value, e.key from kinds, jsonb_each(jb) e
select value from kinds, jsonb_array_elements(jb)
select * from kinds k, jsonb_array_elements_text(k.jb) as e
select * from jsonb_object_keys('{"a":1}') k
select * from regexp_split_to_table('a b', ' ') w
select unnest(ai) from kinds
select id, generate_series(1, 2) from person
select lower('X') from now() n
select * from upper('x') u
select * from current_date
select p.name, (select count(*) from auction a where a.seller = p.id) from person p
select name from person p where exists (select 1 from auction a where a.seller = p.id and a.reserve > 10)
select name from person p where id in (select seller from auction where date_time > p.date_time)
select (select max(price) from bid where auction = a.id and price > (select avg(reserve) from auction where seller = a.seller)) from auction a
select (select p.id + max(b.price) from bid b) from person p
select (select count(p.id)) from person p
select (select sum(p.id) from bid b limit 1) from person p
select max((select count(*) from bid b where b.auction = a.id)) from auction a
select a.seller, (select name from person where id = a.seller) from auction a group by a.seller
select row_number() over (order by id) from person
select rank() over (partition by auction order by price desc) as r, dense_rank() over w, percent_rank() over w, cume_dist() over w, ntile(4) over w from bid window w as (order by price)
select lag(price) over (order by date_time), lead(price, 2) over (order by date_time), lag(price, 1, 0) over (order by date_time) from bid
select lag(i2, 1, 2.5) over (), first_value(t) over (order by i4), last_value(v) over (), nth_value(d, 2) over () from kinds
select sum(price) over (partition by auction order by date_time rows between 2 preceding and current row) from bid
select avg(price) over (order by date_time range between interval '1 hour' preceding and current row) from bid
select count(*) over (order by price groups between 1 preceding and 1 following exclude ties) from bid
select sum(price) over w, count(*) over (w order by price) from bid window w as (partition by auction)
select sum(count(*)) over (order by auction), auction from bid group by auction
select auction, rank() over (order by sum(price) desc) from bid group by auction
select count(*) filter (where price > 1) over () from bid
select auction from bid order by row_number() over (order by price)
select 1 union select 2
select 1 union all select 2.5
select 1 as a union select 2 as b order by a
select null union select 1
select 'a' union select 'b'
select '1' union select 1
select null union select null
select i2 from kinds union select i8 from kinds
select v from kinds union select t from kinds
select v from kinds union select v from kinds
select m from kinds union all select m from kinds
select m from kinds union all select n from kinds
select d from kinds union select ts from kinds
select 1 intersect select 1
select auction from bid except select id from auction
select 1 union select 2 union all select 3 except select 4
(select 1 order by 1) union (select 2 limit 1)
select * from (select 1 union select 2) s
(select auction from bid) order by price
with x as (select 1 as a) select * from x
with x (b) as (select 1 as a) select b from x
with x as (select 1 as a), y as (select a + 1 as b from x) select * from x, y
with x as (select * from bid) select auction, count(*) from x group by 1
with recursive t (n) as (select 1 union all select n + 1 from t where n < 5) select sum(n) from t
with recursive t as (select id, seller from auction union select a.id, a.seller from auction a join t on a.seller = t.id) select * from t
select * from person p where p.id = (with x as (select p.id as i) select i from x)
select 'a' || 1, 1 || 'a', null || 'a', 'a' || 'b'
select '1' + 1, 1 + '1', '2024-01-01' - date '2023-01-01', '1.5' * 2.0
select 'x' = 'x', 'x' like 'x', '1' < 2
select bool 'true', float8 '1.5', numeric '1.50', numeric(5, 1) '1.55', varchar 'x', jsonb '{"a":1}', uuid '00000000-0000-0000-0000-000000000000'
select cast(1 as numeric(10, 2)), 1::numeric(10, 2), cast('2024-01-01' as date), 't'::bool
select t::int, t::date, i4::boolean, b::int, d::text, ts::date, tz::time, n::int, f8::bigint, jb::text, t::jsonb, u::text from kinds
select i4::numeric, i4::float4, v::text, c::text, t::char(3), t::varchar(2), ai::text, ai::bigint[], t::int[] from kinds
select jb::int, (jb -> 'a')::numeric, (jb ->> 'a')::int, jb['a'] from kinds
select count(*) from kinds where b
select * from person where 'true'
select * from person where null
select * from person where id = 1 and name is null or city = 'x'
select public.person.id from public.person
select person.name from public.person
select t.c from (select c from kinds) t
select t.* from (select 1 as a, 2 as a) t
select 1 as a, 2 as a
select "case" from (select 1 as "case") x
select ((((1))))
select (select (select 1))
select true, false, true::text
select 1::int::text::varchar
select array_length(ai, 1), cardinality(at), array_append(ai, 3), ai || 4, array_to_string(at, ',') from kinds
select pg_typeof(1)
select sum(case when channel = 'x' then 1 else 0 end), sum(price) * 1.0 / count(*) from bid
select avg(price)::numeric(20, 2), round(avg(price), 2) from bid
select distinct upper(channel) from bid order by upper(channel)
select channel c from bid group by c having count(*) > 0 order by c
select max(price) - min(price) as spread from bid group by auction order by spread
select count(*) c from bid group by auction order by max(price), c
select b1.auction from bid b1 where b1.price = (select max(b2.price) from bid b2 where b2.auction = b1.auction)
select a.category, avg(final) from (select max(b.price) as final, a.category from auction a, bid b where a.id = b.auction and b.date_time between a.date_time and a.expires group by a.id, a.category) q (final, category), auction a group by a.category
select * from bid tablesample_alias
select all auction from bid
select localtime, current_date + 1
select i4 as t from kinds group by i4
select i4 as t from kinds group by t, i4
select date_trunc('hour', date_time) h, count(*) from bid group by h
select t collate "C" from kinds order by t collate "C"
`
  .trim()
  .split(/\n(?! )/)
  .map((text) => text.replaceAll(/\n */g, ' '));

/** Queries that PostgreSQL refuses. */
export const refused: readonly string[] = `
select x
select x from person
select prcie from bid
select bid.prcie from bid
select b.price from bid
select bid.price from bid b
select p.id from person
select person.id from person p
select id from person, auction
select id from person p1, person p2
select * from person, person
select * from person p, auction p
select * from nothing
select * from public.nothing
select * from other.person
select *
select x.* from person
select (name).x from person
select (p).x from person p
select p.name.x from person p
select foo(1)
select foo(name, 1) from person
select lower(1)
select lower(1, 2)
select sum(name) from person
select sum('x')
select sum()
select count()
select name + 1 from person
select name + name from person
select date_time + date_time from person
select not 1
select not name from person
select -name from person
select id from person where 1
select id from person where name
select id from person where id
select id from person where name and true
select case when 1 then 2 end
select case when true then 1 else 'x' end
select case when true then 1 else true end
select case when true then name else id end from person
select coalesce(1, name) from person
select greatest(1, true)
select array[1, 'x']
select array[1, true]
select array[]
select 1 in ('x')
select 1 in (true)
select id in (name) from person
select id in (select name from person) from person
select id in (select id, name from person) from person
select (id, name) in (select id from person) from person
select id = any (1) from person
select id = any (select name from person) from person
select (select id, name from person)
select 1 = (1, 2)
select (1, 2) = (1, 2, 3)
select 'x'::int
select 'x'::date
select '2024-13-01'::date
select '{'::jsonb
select 'maybe'::boolean
select 1::date
select true::date
select date '2024-01-01'::int
select ai::int from kinds
select interval '1 day'::int
select int 'x'
select 1::nothing
select 1::numeric(0)
select 1::numeric(2000)
select 'x'::varchar(0)
select auction, count(*) from bid
select auction, count(*) from bid group by price
select auction from bid group by price
select price + 1 from bid group by price + 2
select * from bid group by auction
select auction from bid group by 2
select auction from bid group by 0
select auction from bid group by 'x'
select auction from bid group by count(*)
select count(*) from bid group by 1
select count(*) as c from bid group by c
select auction from bid where count(*) > 1
select auction from bid group by auction having price > 1
select sum(count(*)) from bid
select sum(sum(price)) from bid
select count(*) from bid a join bid b on count(*) > 1
select price from bid order by count(*)
select price from bid having true
select row_number() over () from bid where row_number() over () > 1
select auction from bid group by row_number() over ()
select auction from bid having row_number() over () > 1
select sum(row_number() over ()) from bid
select row_number() over (order by row_number() over ()) from bid
select row_number() from bid
select lower(channel) over () from bid
select row_number(1) over () from bid
select lag() over () from bid
select ntile('x') over () from bid
select sum(price) over w from bid
select sum(price) over (w partition by auction) from bid window w as (partition by auction)
select sum(price) over (w order by price) from bid window w as (order by auction)
select sum(price) over (w rows current row) from bid window w as (rows unbounded preceding)
select 1 from bid window w as (order by price), w as (order by auction)
select count(distinct price) over () from bid
select sum(price) over (rows between unbounded following and current row) from bid
select sum(price) over (rows between current row and unbounded preceding) from bid
select sum(price) over (rows between current row and 1 preceding) from bid
select sum(price) over (range between 1 preceding and current row) from bid
select sum(price) over (groups between 1 preceding and current row) from bid
select sum(price) over (order by channel range between 1 preceding and current row) from bid
select sum(price) over (rows between price preceding and current row) from bid
select lower(distinct channel) from bid
select lower(channel) filter (where true) from bid
select lower(*) from bid
select count(*) filter (where 1) from bid
select count(*) filter (where count(*) > 1) from bid
select count(distinct *) from bid
select string_agg(distinct channel, ',' order by price) from bid
select sum(distinct price order by auction) from bid
select distinct auction from bid order by price
select distinct on (auction) auction from bid order by price
select distinct on (2) auction from bid
select auction from bid order by 2
select auction from bid order by 0
select auction from bid order by 'x'
select auction from bid order by nothing
select auction as x, price as x from bid order by x
select auction as x from bid where x > 1
select auction as x from bid group by auction having x > 1
select auction from bid limit 'x'
select auction from bid limit price
select auction from bid limit true
select auction from bid limit count(*)
select auction from bid offset price
select auction from bid limit 1 with ties
select auction from bid fetch first 1 rows with ties
select * from person join auction using (nothing)
select * from person join bid using (id)
select * from bid join person using (id)
select * from (person p cross join auction a) join account using (id)
select * from person join auction using (id, id)
select * from person join auction on id = seller
select * from person join auction on nothing = seller
select * from person join auction on 1
select * from person p join bid on p.id = a.id, auction a
select id from person natural join account natural join kinds k where x = 1
select * from person p, (select * from auction where seller = p.id) x
select * from person p join (select * from auction where seller = p.id) x on true
select * from auction a right join lateral (select a.id as i) x on true
select * from (select 1 as a) s (x, y)
select * from person p (a, b, c, d, e, f, g)
select * from (values (1, 2), (3)) v
values (1), (2, 3)
values (1), ('x')
values (true), (1)
select * from generate_series(1)
select * from generate_series('a', 'b')
select * from unnest(1)
select * from nothing(1)
select * from count(*)
select id from person where generate_series(1, 2) > 1
select 1 union select 1, 2
select 1 union select 'x'
select 1 union select true
select name from person union select id from person
select j from kinds union select j from kinds
select distinct j from kinds
select j from kinds group by j
select j from kinds order by j
select count(distinct j) from kinds
select 1 as a union select 2 order by a + 1
select 1 as a union select 2 order by b
select 1 as a union select 2 order by 2
with x as (select 1), x as (select 2) select 1
with x (a, b) as (select 1) select * from x
with x as (select * from y), y as (select 1) select * from x
with recursive x as (select 1) select * from y
with recursive t as (select n from t) select * from t
with recursive t (n) as (select n from t union all select 1) select * from t
with recursive t (n) as (select 1 union all select n + 1.5 from t) select * from t
with recursive t (n) as (select 1 except select n + 1 from t) select * from t
select (select nothing from person)
select (select p.nothing) from person p
select exists (select nothing)
select 1 from person where (select count(*) > 1 from bid where auction = person.nothing)
select a.reserve, (select b.price from bid b where b.auction = a.id) from auction a group by a.reserve
select grouping(auction) from bid
select grouping(price) from bid group by auction
select grouping(auction) from bid where grouping(auction) = 1 group by auction
select t collate "xx_XX" from kinds
select i4 collate "C" from kinds
select $1 from bid where x = 1
select $0
select extract(nothing from now())
select extract(year from 1)
select date_trunc(1, now())
select substring(1 from 2)
select ts at time zone 1 from kinds
select i4[1] from kinds
select ai['x'] from kinds
select ai[true] from kinds
select 1 like 2
select i4 like 'x' from kinds
select b between 1 and 2 from kinds
select i4 between 'a' and 'b' from kinds
select i4 is true from kinds
select i4 is distinct from true from kinds
select jb -> true from kinds
select jb = 1 from kinds
select b < 1 from kinds
select 99999999999999999999::int
select 3000000000::int4 + nothing
select other.lower('x')
select '1 fortnite'::interval
select interval 'x'
select current_date('x')
select count(*) from bid group by grouping sets ((auction), nothing)
`
  .trim()
  .split('\n');
