CREATE STREAM readings (id text, v int);
CREATE MATERIALIZED VIEW latest AS
SELECT id, LATEST_BY_OFFSET(v) AS last, EARLIEST_BY_OFFSET(v) AS first, LATEST_BY_OFFSET(v, false) AS very_last,
       LATEST_BY_OFFSET(v, 2) AS two, EARLIEST_BY_OFFSET(v, 2, false) AS first_two, LATEST_BY_OFFSET(v) FILTER (WHERE v < 5) AS small
FROM readings GROUP BY id;

-- @test: the latest and earliest values, NULLs left out unless they are asked for
INSERT INTO readings VALUES ('a', NULL), ('a', 1), ('b', 7), ('a', 2);
ASSERT ROWS latest VALUES ('a', 2, 1, 2, ARRAY[1, 2], ARRAY[NULL, 1], 2), ('b', 7, 7, 7, ARRAY[7], ARRAY[7], NULL);
ADVANCE TIME BY INTERVAL '1 second';
INSERT INTO readings VALUES ('a', 9), ('a', NULL), ('b', 3);
ASSERT ROWS latest VALUES ('a', 9, 1, NULL, ARRAY[2, 9], ARRAY[NULL, 1], 2), ('b', 3, 7, 3, ARRAY[7, 3], ARRAY[7, 3], 3);

-- @test: only over the records of one stream, and called as ksqlDB does
ASSERT ERROR '0A000' FOR CREATE MATERIALIZED VIEW v AS SELECT LATEST_BY_OFFSET(last) AS x FROM latest;
ASSERT ERROR '22023' FOR CREATE MATERIALIZED VIEW v AS SELECT LATEST_BY_OFFSET(v, v) AS x FROM readings;
ASSERT ERROR '22023' FOR CREATE MATERIALIZED VIEW v AS SELECT LATEST_BY_OFFSET(v, false, 2) AS x FROM readings;
