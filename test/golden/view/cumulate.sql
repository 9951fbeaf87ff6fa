create materialized view v as select window_end, count(*) from cumulate(bid, date_time, interval '1 minute', interval '1 hour') group by window_start, window_end
