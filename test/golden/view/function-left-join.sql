create materialized view v as select b.auction, q.word from bid b left join lateral (select upper(w) as word from string_to_table(b.channel, ',') as w where w <> '') as q on length(q.word) > 2
