create materialized view v as select a.id, a.id not in (select b.auction from bid b) as idle from auction a
