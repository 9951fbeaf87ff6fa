create materialized view v as select a.id from auction a where a.id = 1 or exists (select 1 from bid b where b.auction = a.id)
