-- SEARCH and CYCLE of recursive queries.
create table graph0( f int, t int, label text );
insert into graph0 values (1, 2, 'arc 1 -> 2'), (1, 3, 'arc 1 -> 3'), (2, 3, 'arc 2 -> 3'), (1, 4, 'arc 1 -> 4'), (4, 5, 'arc 4 -> 5');
create table graph( f int, t int, label text );
insert into graph values (1, 2, 'arc 1 -> 2'), (1, 3, 'arc 1 -> 3'), (2, 3, 'arc 2 -> 3'), (1, 4, 'arc 1 -> 4'), (4, 5, 'arc 4 -> 5'), (5, 1, 'arc 5 -> 1');
with recursive search_graph(f, t, label) as (select * from graph0 g union all select g.* from graph0 g, search_graph sg where g.f = sg.t) search depth first by f, t set seq select * from search_graph order by seq;
with recursive search_graph(f, t, label) as (select * from graph0 g union distinct select g.* from graph0 g, search_graph sg where g.f = sg.t) search depth first by f, t set seq select * from search_graph order by seq;
with recursive search_graph(f, t, label) as (select * from graph0 g union all select g.* from graph0 g, search_graph sg where g.f = sg.t) search breadth first by f, t set seq select * from search_graph order by seq;
with recursive search_graph(f, t, label) as (select * from graph g union all select g.* from graph g, search_graph sg where g.f = sg.t) cycle f, t set is_cycle using path select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph g union distinct select g.* from graph g, search_graph sg where g.f = sg.t) cycle f, t set is_cycle to 'Y' default 'N' using path select * from search_graph;
with recursive test as (select 0 as x union all select (x + 1) % 10 from test) cycle x set is_cycle using path select * from test;
with recursive test as (select 0 as x union all select (x + 1) % 10 from test where not is_cycle) cycle x set is_cycle using path select * from test;
with recursive test as (select 0 as x union all select * from (select (x + 1) % 10 from test) s) cycle x set is_cycle using path select * from test;
with recursive search_graph(f, t, label) as (select * from graph g union all select g.* from graph g, search_graph sg where g.f = sg.t) search depth first by f, t set seq cycle f, t set is_cycle using path select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph g union all select g.* from graph g, search_graph sg where g.f = sg.t) search breadth first by f, t set seq cycle f set c to 1 default 0 using p select f, t, c, seq, p from search_graph order by seq;
with recursive search_graph(f, t, label) as (select * from graph0 g union all select g.* from graph0 g, search_graph sg where g.f = sg.t) search depth first by foo, tar set seq select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph0 g union all select g.* from graph0 g, search_graph sg where g.f = sg.t) search depth first by f, t set label select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph0 g union all select g.* from graph0 g, search_graph sg where g.f = sg.t) search depth first by f, t, f set seq select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph0 g union all select g.* from graph0 g, search_graph sg where g.f = sg.t order by 1) search depth first by f, t set seq select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph0 g union all (select g.* from graph0 g, search_graph sg where g.f = sg.t union all select 1,2,'x')) search depth first by f, t set seq select * from search_graph;
with recursive search_graph(f, t, label) as (select * from graph g union all select g.* from graph g, search_graph sg where g.f = sg.t) cycle f, t set foo using foo select * from search_graph;
-- differs: another error
with recursive search_graph(f, t, label) as (select * from graph g union all select g.* from graph g, search_graph sg where g.f = sg.t) cycle f, t set is_cycle to 55 default 'x' using path select * from search_graph;
with a as (select 1 as x) search depth first by x set seq select * from a;
with recursive t(n) as (values (1) union all select n + 1 from t where n < 3) search depth first by n set s select * from t order by s;
create view reached as with recursive search_graph(f, t, label) as (select * from graph g union all select g.* from graph g, search_graph sg where g.f = sg.t) cycle f, t set is_cycle using path select f, t, is_cycle from search_graph;
select * from reached order by f, t, is_cycle;
