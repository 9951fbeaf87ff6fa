create materialized view v as select auction, window_start, count(*) from session(bid partition by auction, date_time, interval '1 minute') group by auction, window_start, window_end
