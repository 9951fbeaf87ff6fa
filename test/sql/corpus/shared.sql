-- Statements that PostgreSQL and Millrace both read, one a line; trees are compared.

-- operands
select 1;
select 1, 2.5, .5, 5., 1e3, 1.5e-3, 1_000_000, 0xff, 0o17, 0b101, 99999999999, 9223372036854775808, 0xFFFFFFFFFFFF;
select 'a', 'it''s', '', E'a\nb\t\\\'\x41\101\u00e9\U0001F600', U&'d\0061t\+000061', U&'d!0061' uescape '!', $$dollar$$, $tag$a $$ b$tag$;
select 'one'
  'continued' as x;
select B'1010', X'1fF', b'', x'';
select null, true, false, $1, $2;
select N'national';
select a, "A b", t.a, s.t.a, c.s.t.a, "quoted""name", _x, x$1, Ünïcode;
select *, t.*, s.t.* from t;
select (t.*) is null, count(t.*) from t;
select -1, - 2.5, +3, - -4, -(-5), -a, +a, @ -5, |/ 25.0, ~ 5, !! x, -99999999999;
select (1), ((a)), (a + b) * c;
select row(), row(1), row(1, 2), (1, 2), (a, b, c) = (d, e, f);
select array[1, 2, 3], array[]::int[], array[[1, 2], [3, 4]], array[array[1], array[2]];
select a[1], a[1][2], a[1:2], a[:2], a[1:], a[:], a[b[1]], $1[1], (a)[1], (f(x))[1];
select (a).b, (a).b.c, (a.b).c, (a).*, (f(x)).y, (f(x)).*, $1.x, a[1].b, (row(1, 2)).f1, (select x).y, ((a).b).c;
select case when a then 1 end, case a when 1 then 'x' when 2 then 'y' else 'z' end, case when a = 1 then case when b then 1 else 2 end end;
select cast(a as int), a::int, a::int::text, a::numeric(10, 2)[], cast(a + b as double precision), -a::int, -1::int, (-1)::int, a.b::text;
select exists (select 1), exists (select 1 from t where t.a = u.a), (select 1), (select max(a) from t), array(select a from t order by a);
select ((select 1)), ((select 1) + 1), (((select 1) union select 2)), ((select 1) limit 1), ((select a) ), (((select 1))), ((select 1), 2);
select current_date, current_time, current_time(3), current_timestamp, current_timestamp(0), localtime, localtime(1), localtimestamp, localtimestamp(6);
select current_user, session_user, user, current_role, current_catalog, current_schema, current_schema(), system_user;
select value, key, name, type, timestamp, window_start, time, date, interval, text, year, month, day, row, values, source, stream, level, int, char, coalesce, position from t;
select t.select, t.from, t.user, t.all from t;

-- operators and their precedence
select a = 1 or b = 2 and c = 3;
select a and b or c and d, not a and not b, not a = b, not not a, not (a or b), (a or b) and c, a and (b and c), (a and b) and c;
select a or b or c, a or (b or c), (a or b) or c, a and b and c and d;
select 1 + 2 * 3, (1 + 2) * 3, 1 - 2 - 3, 1 - (2 - 3), 8 / 4 / 2, 8 / (4 / 2), 7 % 4 * 2, 2 ^ 3 ^ 2, 2 ^ (3 ^ 2), -2 ^ 2, -(2 ^ 2), 2 ^ -1;
select a || b || c, a || (b || c), a || b + c, (a || b) + c, a -> 'b' ->> 'c', a -> b + 1, a #> '{a}', a @> b and c <@ d, a ? 'b', a ?| b, a ?& b;
select a < b, a <= b, a > b, a >= b, a = b, a <> b, a != b, a + 1 < b - 1, (a < b) = (c < d), (a < b) = c, a || b = c || d;
select a & b | c # d, a << 2 >> 1, ~ a & b, a ~ 'x', a !~ 'x', a ~* 'x', a !~* 'x', a ~~ 'x', a ^@ 'x', a @@ b, a && b, a <-> b, a -|- b;
select a is null, a is not null, a isnull, a notnull, a is true, a is not true, a is false, a is not false, a is unknown, a is not unknown, a is null is not null;
select a = b is null, (a is null) = b, a is null = b, a + b is null, not a is null, - a is null;
select a is distinct from b, a is not distinct from b, a is distinct from b and c, a + 1 is not distinct from b || c, a = b is distinct from c;
select a between 1 and 2, a not between 1 and 2, a between symmetric 2 and 1, a not between symmetric b and c, a between asymmetric 1 and 2, a between 1 and 2 and b, a between b + 1 and c * 2, a + 1 between b and c;
select a between 1 and 2 = b, a between 1 and 2 is null, a between b < c and d, a between b is distinct from c and d, a between (b collate "C") and c, a between (b at time zone 'x') and (c and d), a between (b and c) and d, a between - b and ~ c, a between (not b) and (c in (1)), a between (b between 1 and 2) and (c like d);
select a in (1), a in (1, 2), a not in (1, 2), (a, b) in ((1, 2), (3, 4)), a in (select b from t), a not in (select b from t), a in ((select 1)), a in ((select 1), 2), a in (1) in (true);
select a like 'x', a not like 'x', a ilike 'x', a not ilike 'x', a like 'x' escape '!', a not like b || '%' escape '', a similar to 'x', a not similar to 'x' escape '#', a like b and c;
select a = any (array[1, 2]), a = any (select b from t), a <> all (b), a < some (select 1), a like any (b), a not like all (b), a ilike any (array['x']), a not ilike all (select 'x'), a ~ any (b), a = any ((select b)), a = any ((select b)::int[]);
select a at time zone 'UTC', a at time zone b || c, a::timestamp at time zone 'UTC' at time zone 'CET', a + b at time zone 'x', a at local, -a at time zone b;
select a collate "C", a || b collate "C", a collate pg_catalog."C" < b, -a collate "C", a collate "C" at time zone 'x';
select a operator(pg_catalog.+) b, a operator(+) b * c, operator(pg_catalog.-) a, a operator(pg_catalog.=) any (b);
select @ a + b, a * @ b + c, @ a || b, |/ a ^ 2, ~ a + b, a + ~ b, @ @ a, - @ a, a * - b, a - - b, a <= -b, a =-b, a @-b;
select (1, 2) overlaps (3, 4), row(1, 2) overlaps row(3, 4), not (a, b) overlaps (c, d);
select a is json, a is not json, a is json object, a is json array with unique keys, a is json scalar, a is json value without unique keys;
select a is normalized, a is not normalized, a is nfc normalized, a is not nfkd normalized;
select case when a in (1, 2) or b between 1 and 3 and c then not d else e is null end;
select not a between b and c, not a in (1), not a like b, not exists (select 1), a = not b, a and not b or c;
select a between b and c or d, a not between b and c and d not between e and f, a = 1 and b not in (1, 2) or c not like 'd';
select a::int = 1, a.b.c::text || 'x', 'x'::text collate "C", array[1]::int[] || 2, a [1] ::int;
select 1<2, 1<-2, a+-b, a*-b, a/b, a%b, a^b, a<>-1, a->>'x', a->-1, 5!=-5, a<=b, a>=-b;
select 1 --comment
  + 2 /* block /* nested */ comment */ + 3;
select a/*x*/+/*y*/b, a -- minus
  -b;

-- typed literals, intervals and types
select date '2024-01-01', timestamp '2024-01-01 00:00', timestamp(3) '2024-01-01', timestamp with time zone '2024-01-01', timestamptz '2024-01-01', time '10:00', time with time zone '10:00', time(2) without time zone '10:00';
select interval '1 minute', interval '1' minute, interval '1' year, interval '1-2' year to month, interval '1 2' day to hour, interval '1' day to second, interval '1' day to second(3), interval '1' second(2), interval(3) '1.2345', interval '1:2' hour to minute, interval '3' minute to second;
select int '1', bigint '2', smallint '3', numeric '1.5', numeric(10, 2) '1.5', decimal(5) '1', real '1', float '1', float(10) '1', float(30) '1', double precision '1', boolean 'true', text 'x', varchar 'x', varchar(3) 'x', char 'x', char(3) 'x', character varying(3) 'x', bit '1', bit(3) '101', bit varying(5) '1', json '{}', jsonb '{}', uuid 'x', bytea '\x00', point '(1,2)', pg_catalog.int4 '1', nchar 'x', national character varying(3) 'x';
select a::smallint, a::integer, a::bigint, a::real, a::float, a::float(24), a::float(25), a::double precision, a::numeric, a::numeric(10), a::numeric(10, 2), a::numeric(10, -2), a::dec(4), a::boolean, a::bool;
select a::text, a::varchar, a::varchar(10), a::char, a::char(10), a::character(3), a::character varying, a::character varying(10), a::bpchar, a::bpchar(3), a::"char", a::name, a::nchar(3), a::national char varying(5);
select a::date, a::time, a::time(3), a::time with time zone, a::timetz, a::timestamp, a::timestamp(3), a::timestamp(3) with time zone, a::timestamp without time zone, a::timestamptz, a::timestamptz(3), a::interval, a::interval(3), a::interval day to second, a::interval hour to second(2), a::interval year;
select a::int[], a::int[3], a::int[][], a::int array, a::int array[4], a::text[], a::numeric(10, 2)[], a::timestamp with time zone[], a::json, a::jsonb, a::uuid, a::bytea, a::bit, a::bit(3), a::varbit, a::bit varying(3), a::my_type, a::my_schema.my_type, a::"Mixed", a::pg_catalog.int8;
select myschema.mytype 'x', "quoted type" 'x', float8 '1.5', int4 '3';

-- calls
select f(), f(1), f(a, b), s.f(1), c.s.f(1), "F"(1), f(distinct a), f(all a), f(variadic a), f(1, variadic a), f(a => 1, b := 2), f(1, a => 2);
select count(*), count(distinct a), sum(a) filter (where b > 1), array_agg(a order by b desc nulls last, c), string_agg(distinct a, ',' order by a), percentile_cont(0.5) within group (order by a), mode() within group (order by a desc) filter (where b);
select left('abc', 1), right(a, 2), coalesce(a), coalesce(a, b, 1), nullif(a, b), greatest(a, b), least(1, 2, 3), grouping(a, b), lower(a), replace(a, 'x', 'y');
select extract(year from a), extract(epoch from a - b), extract('month' from a), extract(second from interval '1' minute), extract(isodow from a);
select position('a' in b), position(a || b in c), substring(a from 1), substring(a from 1 for 2), substring(a for 2), substring(a for 2 from 1), substring(a, 1, 2), substring(a, 'x'), substring(a similar 'x' escape '#'), substring(a from '#"x#"' for '#');
select overlay(a placing b from 1), overlay(a placing b from 1 for 2), overlay(a, b, 1, 2), trim(a), trim(both from a), trim(leading 'x' from a), trim(trailing from a), trim('x' from a), trim(both 'x' from a), trim(a, 'x'), trim(from a);
select normalize(a), normalize(a, nfc), collation for (a), pg_typeof(a);
select f(a)::int, f(g(h(1))), f((select 1)), f((1, 2)), f(array[1, 2]), f(case when a then b end), f(not a), f(a or b), f(a = b), f(*) from t;

select json_object('a' value 1, b value c || d), json_object('a' : 1, b || 'x' : 2 null on null), json_object(), json_object('{a,1}'), json_object(array['a'], array['b']), json_array(), json_array(1, 'a', b), json_array(a, b null on null), json_array(a absent on null);
select json_value(a, '$.b'), json_value(a -> 'x', '$.b' returning int) + 1, json_query(a, '$.b[*]'), json_exists(a, '$.b'), json_scalar(1), json('{}'), json_serialize(a), json, json_value from t;
select json_exists(a, '$.b' passing 1 as x, b as "Y" error on error), json_value(a, '$' returning numeric(5, 2) default 0 on empty error on error), json_value(a, '$' null on empty), json_query(a, '$' returning text with conditional wrapper), json_query(a, '$' without array wrapper omit quotes empty array on empty empty object on error), json_query(a, '$' with wrapper), json_exists(a, '$' unknown on error) from t;
select json_objectagg(a value b), json_objectagg(a : b null on null) filter (where c), json_arrayagg(a order by b desc), json_arrayagg(a null on null) over (partition by b), json_arrayagg(a absent on null) from t;

-- windows
select rank() over (), rank() over w, sum(a) over (partition by b), sum(a) over (order by b), sum(a) over (partition by b, c order by d desc, e nulls first), sum(a) filter (where b) over (w order by c) from t window w as (partition by a), w2 as (w order by b);
select sum(a) over (order by b rows unbounded preceding), sum(a) over (order by b rows between unbounded preceding and current row), sum(a) over (order by b rows between 1 preceding and 2 following), sum(a) over (order by b range between interval '1' day preceding and current row), sum(a) over (groups between current row and unbounded following);
select sum(a) over (rows current row), sum(a) over (rows 5 preceding exclude current row), sum(a) over (rows between 1 + 1 preceding and a * 2 following exclude ties), sum(a) over (order by b groups 1 preceding exclude group), sum(a) over (rows between 2 preceding and 1 preceding exclude no others), sum(a) over (rows between 1 following and 2 following);
select sum(a) over (rows between current row and 1 following), first_value(a) over (partition by b order by c rows between unbounded preceding and unbounded following), lag(a, 1, 0) over (order by b), sum(a) over (range unbounded preceding exclude ties);
select sum(a) over ("partition" order by b), row_number() over (partition by a order by b) <= 3 from t;

-- select items, aliases
select a b, a as b, a "B", a as "select", a as select, a value, a as user, a name, a key, f(a) g, 1 one, 'x' y, a + b c, (a) b, a is null b, a::int b, case when a then b end c;
select a as x, b as "x y", c as from_date, * from t;
select distinct a, b from t;
select distinct on (a) a, b from t order by a, b desc;
select distinct on (a, b + 1) * from t;
select all a from t;
select from t;
select;
select where true;
select a from t where b;

-- from
select * from t, u, v where t.a = u.a;
select * from t as x, u y, s.t z, c.s.t, "T" as "X";
select * from only t, only (u) as x, t * as y;
select * from t as x (a, b), u y (c);
select * from t join u on t.a = u.a;
select * from t inner join u using (a), v;
select * from t left join u on t.a = u.a left outer join v on true right join w using (a, b) as j full outer join x on false;
select * from t cross join u natural join v natural left join w natural full outer join x natural inner join y;
select * from t join u join v on u.a = v.a on t.a = u.a;
select * from t left join u cross join v on true join w on w.a = t.a;
select * from t join (u join v on u.a = v.a) on t.a = u.a;
select * from (t join u on t.a = u.a) as j (a, b), (t cross join u) x;
select * from ((t join u on true) join v on true), ((t join u on true) as x cross join v);
select * from (select 1) x, (select 1) as y (a), (values (1, 2), (3, 4)) as v (a, b), (table t) z;
select * from (select 1), ((select 2)) as a, (((select 3) union select 4)) as b;
select * from ((select 1) a join (select 2) b on true), ((select 1) union (select 2) order by 1) c;
select * from ((select 1 as x) as a cross join t) j;
select * from (with c as (select 1) select * from c) d, (select a from t order by a limit 1) e;
select * from t, lateral (select * from u where u.a = t.a) x;
select * from t left join lateral (select * from u where u.a = t.a limit 3) x on true cross join lateral f(t.a) y;
select * from f(1), s.f(1) as x, f(1) x (a, b), f(1) with ordinality, f(1) with ordinality as x (a, n), lateral f(1) y;
select * from f(1) as (a int, b text), f(1) as x (a int, b numeric(10, 2)), f(1) x (a int);
select * from rows from (f(1), g(2)) as x (a, b), rows from (f(1) as (a int), g(2)) with ordinality, lateral rows from (f(1)) y;
select * from unnest(array[1, 2], array['a']) with ordinality as u (a, b, n), generate_series(1, 10) g, generate_series(1, 10, 2) as g (i);
select * from current_date, coalesce(1, 2) as c, current_user u;
select * from t tablesample system (10), u as x tablesample bernoulli (5.5) repeatable (42), s.v tablesample my.method (1, 2);
select * from emit, within w, changes, final e, t emit, window_start, stream s, source, key k, values;
select * from t as emit join u as within on true;

-- where, group by, having
select a, count(*) from t where a > 1 and b is not null group by a having count(*) > 1;
select a from t group by a, b + 1, (c), (a, b), 3;
select a from t group by rollup (a, b), cube (a, (b, c)), grouping sets ((a, b), (a), (), rollup (c), grouping sets (d, (e, f)));
select a from t group by (), a;
select a from t group by distinct a, b;
select a from t group by all a, b;
select a from t group by rollup (a), f(b), case when c then 1 else 2 end;
select count(*) from t having count(*) > 1;
select sum(a) from t where exists (select 1 from u where u.a = t.a) group by date_trunc('day', b);

-- order by, limit, locking
select a from t order by a;
select a from t order by a asc, b desc, c nulls first, d desc nulls last, 5, e + 1, f collate "C" desc, a using <, b using >;
select a from t limit 10;
select a from t limit all;
select a from t limit 10 offset 5;
select a from t offset 5 limit 10;
select a from t offset 5 rows;
select a from t offset 1 + 1 limit 2 * 3;
select a from t fetch first row only;
select a from t fetch next 5 rows only;
select a from t order by a offset 2 rows fetch next 5 rows only;
select a from t order by a fetch first 5 rows with ties;
select a from t order by a fetch first (1 + 2) rows with ties;
select a from t limit $1 offset $2;
select a from t for update;
select a from t for no key update of t nowait for share skip locked;
select a from t order by a limit 1 for update of t, u;
select a from t for key share limit 1;
select a from t for read only;

-- set operations
select 1 union select 2;
select 1 union all select 2 union select 3;
select 1 union (select 2 union all select 3);
select 1 union select 2 intersect select 3;
(select 1 union select 2) intersect select 3;
select 1 intersect select 2 union select 3 except select 4;
select 1 except all select 2 intersect all select 3;
select 1 except distinct select 2;
select a from t union select b from u order by 1 limit 3;
(select a from t order by a limit 1) union all (select b from u order by b desc limit 1) order by 1;
(select 1);
((select 1));
(select 1) order by 1;
(select 1 order by 1) limit 1;
((select a from t) order by a) limit 1 offset 2;
select 1 union ((select 2) union select 3);
values (1, 2), (3, 4) union all select 5, 6;
values (1), (2) order by 1 desc limit 1;
table t;
table s.t union table u order by 1;
with a as (select 1) select * from a union select 2;
(with a as (select 1) select * from a) union select 2;

-- with
with a as (select 1), b (x, y) as (select 2, 3) select * from a, b;
with recursive r (n) as (values (1) union all select n + 1 from r where n < 10) select * from r;
with a as materialized (select 1), b as not materialized (select 2) select * from a join b on true;
with a as (with b as (select 1) select * from b) select * from a;
with a as (insert into t values (1) returning *), b as (update t set a = 1 returning a), c as (delete from t where a = 1 returning b) select * from a, b, c;
with a as (table t), b as (values (1, 2)), c as ((select 1) union select 2) select * from a;
select (with a as (select 1) select * from a), exists (with b as (select 1) table b);
with x as (select 1) insert into t select * from x;
with x as (select 1) update t set a = x.b from x where t.a = x.a;
with x as (select 1) delete from t using x where t.a = x.a;
with x as (with y as (select 1) insert into t select * from y returning *) select * from x;

-- insert
insert into t values (1);
insert into t values (1, 'x'), (2, default), (default, default);
insert into s.t (a, b, "C") values (1, 2, 3);
insert into t default values;
insert into t select * from u where a > 1 order by a limit 3;
insert into t (a) select 1 union select 2;
insert into t (a) (select 1);
insert into t (select 1);
insert into t ((select 1) union select 2);
insert into t (values (1), (2));
insert into t table u;
insert into t as x values (1) returning x.a, x.b as c, *;
insert into t with x as (select 1) select * from x;
insert into t (a) with x as (select 1) select * from x returning a;
insert into t values (1) on conflict do nothing;
insert into t values (1) on conflict (a) do nothing returning *;
insert into t values (1) on conflict (a, b) do update set a = excluded.a, b = excluded.b + 1;
insert into t as x values (1, 2) on conflict (a) do update set b = excluded.b where x.b < excluded.b returning a;
insert into t values (1) on conflict on constraint t_pkey do update set a = default;
insert into t values (1) on conflict (a) do update set (a, b) = (excluded.a, excluded.b);
insert into t (key, value, timestamp, name) values ('k', 'v', now(), 'n');
insert into t values ((select 1), array[1, 2], row(1, 2), -1, 'x' || 'y');

-- update and delete
update t set a = 1;
update s.t as x set a = x.a + 1, b = default where x.a > 1;
update t x set a = 1 where x.b = 2 returning *;
update only t set a = 1;
update t set (a, b) = (1, 2), c = 3;
update t set (a, b) = (select 1, 2), c = 3;
update t set (a, b) = row(1, b + 1);
update t set a = u.b from u, v join w on v.a = w.a where t.a = u.a returning t.a, u.b as x;
update t set a = (select max(b) from u), b = case when a then 1 else 2 end;
update t set value = 'x', key = 'y';
delete from t;
delete from s.t as x where x.a = 1;
delete from t x where a = 1 returning *;
delete from only t where a in (select b from u);
delete from t using u, v where t.a = u.a and u.b = v.b returning t.*;
truncate t;
truncate table t, s.u cascade;
truncate t restart identity;

-- tables, views and indexes
create table t (a int);
create table if not exists s.t (a int not null, b text default 'x', c numeric(10, 2) primary key, d boolean unique, e timestamp(3) with time zone default now(), f int[] null);
create table t (a int, b text, primary key (a, b), unique (b), check (a > 0), constraint c check (b <> ''), constraint p unique (a));
create table t (a int constraint x not null, b int check (b > 0), c int generated always as (a + b) stored, d int default 1 + 2, e text default 'a' || 'b', f int default -1);
create table t (a boolean default (b is null), b boolean default (c and d), c text default ('x' collate "C"), d int default 1 + 2 * 3 < 4);
create table t ();
create temp table t (a int);
create temporary table t (a int);
create table t (key text, value jsonb, timestamp timestamptz, name varchar(10), type text, "User" int);
create table t as select 1;
create table if not exists t as select a, b from u where c;
create table t (a, b) as select 1, 2;
create view v as select 1;
create or replace view v as select a from t;
create view v (a, b) as select 1, 2 union select 3, 4;
create materialized view v as select count(*) from t;
create materialized view if not exists v as select a, sum(b) as s from t group by a with data;
create index on t (a);
create index i on s.t (a, b desc, lower(c) nulls last, (a + b));
create unique index if not exists i on t using btree (a);
create schema s;
create schema if not exists s;
create type t as enum ('a', 'b');
create type t as (a int, b text);
create function f(a int, b text) returns int language javascript as 'return a';
create or replace function s.f(int, numeric(10, 2) default 1) returns setof text language 'plv8' immutable strict as $$ return 1 $$;
create function f() returns table (a int, b text) as $$ select 1 $$ language sql stable;
create function f(a double precision, b character varying) returns double precision as 'x' language sql volatile called on null input;
drop table t;
drop table if exists s.t, u cascade;
drop view v;
drop view if exists v restrict;
drop materialized view v cascade;
drop index concurrently if exists i;
drop schema s;
drop type t;
drop function f;
drop function f(int, text), g();
alter table t add a int;
alter table t add column if not exists a int not null default 1, drop column b, drop if exists c cascade;
alter table if exists only t alter a type bigint, alter column b set data type text, alter c set default 1 + 1, alter c drop default, alter d set not null, alter d drop not null;
alter table t rename a to b;
alter table t rename column a to b;
alter table t rename to u;
alter view v rename to w;
alter index i rename to j;
alter materialized view v rename to w;
alter table t set (fillfactor = 70, autovacuum_enabled = false);
alter table t reset (fillfactor);
alter system set a = 1;
alter system set a.b = 'x';
alter system reset a;
alter system reset all;

-- session
begin;
begin work;
begin transaction isolation level serializable, read only;
start transaction read write;
commit;
commit work and no chain;
end transaction;
rollback;
abort;
rollback to a;
rollback work to savepoint a;
savepoint a;
release a;
release savepoint a;
set a = 1;
set a to 'x', 'y', z;
set session a.b to default;
set local a = -1.5;
set time zone 'UTC';
set time zone local;
set transaction isolation level repeatable read;
set session characteristics as transaction read only;
set search_path to public, "Other";
set a to on;
set a = off;
reset a;
reset all;
reset time zone;
show a;
show all;
show time zone;
show transaction isolation level;
show search_path;
prepare p as select $1;
prepare p (int, text) as insert into t values ($1, $2);
prepare p as (select 1);
execute p;
execute p (1, 'x', a + 1);
deallocate p;
deallocate prepare p;
deallocate all;
explain select 1;
explain analyze select 1;
explain analyze verbose select * from t;
explain verbose insert into t values (1);
explain (analyze, verbose off, format json) select 1;
explain (costs false) update t set a = 1;
explain (select 1);
explain create materialized view v as select 1;
explain execute p (1);
copy t from stdin;
copy s.t (a, b) to stdout with (format csv, header, delimiter ',');
copy t from '/tmp/x' (format text);
copy (select 1) to stdout;
