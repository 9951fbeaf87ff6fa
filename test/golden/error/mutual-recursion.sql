with recursive a(x) as (select 1 union select x from b), b(x) as (select 2 union select x from a) select * from a
