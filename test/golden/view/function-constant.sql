create materialized view v as select g.n, count(b.auction) from generate_series(1, 9) as g(n) left join bid b on b.auction = g.n group by g.n
