create materialized view v as select b.auction, w from bid b, regexp_split_to_table(b.channel, ' ') as w
