-- Options of EXPLAIN that are refused; plans themselves are nobody's contract.
explain (nope) select 1;
explain (format nope) select 1;
explain (analyze maybe) select 1;
explain (costs 3) select 1;
explain (timing) select 1;
explain (wal on) select 1;
explain (serialize) select 1;
explain select nothere;
explain (format json) select * from nothere;
explain (analyze) select 1 / 0;
-- differs: xml has no type here
explain (format xml) select 1;
