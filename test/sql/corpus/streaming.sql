-- Streaming statements and clauses, in the spellings of PostgreSQL's relatives, ksqlDB and Flink.

-- streams, tables and sources
CREATE STREAM bids (auction BIGINT, bidder BIGINT, price BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH (kafka_topic = 'bids', value_format = 'json');
CREATE OR REPLACE STREAM pageviews (viewtime BIGINT, user_id VARCHAR KEY, page_id VARCHAR) WITH (KAFKA_TOPIC='pageviews', VALUE_FORMAT='JSON', PARTITIONS=4, REPLICAS=1);
CREATE STREAM IF NOT EXISTS s (id INT KEY, v STRING, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS, k BYTES HEADER('trace-id')) WITH (KAFKA_TOPIC='t', KEY_FORMAT='KAFKA', VALUE_FORMAT='AVRO', TIMESTAMP='viewtime');
CREATE TABLE users (id VARCHAR PRIMARY KEY, name VARCHAR, address STRUCT<street STRING, zip INTEGER>, tags ARRAY<STRING>, props MAP<STRING, DOUBLE>) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
CREATE SOURCE TABLE prices (id VARCHAR PRIMARY KEY, price DECIMAL(10, 2)) WITH (kafka_topic='prices', value_format='protobuf');
CREATE SOURCE STREAM clicks (id INT) WITH (kafka_topic='clicks', value_format='json');
CREATE SOURCE IF NOT EXISTS orders (id int, total numeric, created timestamptz, PRIMARY KEY (id)) WITH (connector = 'kafka', topic = 'orders', properties.bootstrap.server = 'localhost:9092', scan.startup.mode = 'earliest') FORMAT PLAIN ENCODE JSON;
CREATE SOURCE s (a int, b text) INCLUDE key AS k INCLUDE timestamp INCLUDE header 'h' AS h WITH (connector='kafka') FORMAT UPSERT ENCODE AVRO (schema.registry = 'http://localhost:8081');
CREATE STREAM nexmark WITH (connector = 'nexmark', 'events.per.second' = 10000);
CREATE STREAM inferred (id KEY, payload) WITH (kafka_topic='x', value_format='avro');
CREATE TABLE orders (`user id` BIGINT, product STRING, amount INT, ts TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL, `offset` BIGINT METADATA VIRTUAL, cost AS amount * 2, proctime AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '5' SECONDS, PRIMARY KEY (product) NOT ENFORCED) COMMENT 'orders' PARTITIONED BY (product) WITH ('connector' = 'kafka', 'topic' = 'orders', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
CREATE TEMPORARY TABLE blackhole (a INT COMMENT 'first', b TIMESTAMP_LTZ(3), c ROW<x INT, y ROW<z STRING>>, d ARRAY<ARRAY<INT>>, e MULTISET<INT>, f BYTES, g TINYINT, h DOUBLE, i VARBINARY(10)) WITH ('connector' = 'blackhole');
CREATE TABLE t (a INT PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', c INT CHECK (c > 0), d INT UNIQUE, CONSTRAINT pk UNIQUE (a, b)) WITH (partitions = 3);
CREATE STREAM m (a map(varchar, integer), b struct<x int, y text[]>, c array<int>[]) WITH (kafka_topic='m');

CREATE TABLE events (a int, ts timestamptz) APPEND ONLY WITH (connector = 'kafka', sasl.password = SECRET kafka_password, other = secret('x'), mode = secret);

-- derived streams, tables and views
CREATE STREAM high AS SELECT sensor_id, value * 1.1 AS processed FROM sensors WHERE value > 50 EMIT CHANGES;
CREATE STREAM high WITH (KAFKA_TOPIC='high', PARTITIONS=2) AS SELECT * FROM sensors PARTITION BY sensor_id EMIT CHANGES;
CREATE TABLE counts AS SELECT page_id, COUNT(*) AS n FROM pageviews WINDOW TUMBLING (SIZE 1 HOUR, RETENTION 7 DAYS, GRACE PERIOD 10 MINUTES) GROUP BY page_id HAVING COUNT(*) > 1 EMIT FINAL;
CREATE TABLE hops AS SELECT user_id, COUNT(*) FROM pageviews WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS) WHERE user_id <> 'x' GROUP BY user_id;
CREATE TABLE sessions AS SELECT user_id, COUNT(*) FROM pageviews WINDOW SESSION (60 SECONDS, GRACE PERIOD 0 MILLISECONDS) GROUP BY user_id EMIT CHANGES;
CREATE MATERIALIZED VIEW v AS SELECT auction, count(*) AS n, sum(price) AS total FROM bids GROUP BY auction;
CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT * FROM bids EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW IF NOT EXISTS v (a, b) WITH (retention = '1 day') AS SELECT 1, 2 EMIT EVERY INTERVAL '10' SECOND;
CREATE MATERIALIZED VIEW v AS SELECT window_start, window_end, auction, count(*) FROM TUMBLE(bids, ts, INTERVAL '1' MINUTE) GROUP BY window_start, window_end, auction EMIT CHANGES;
CREATE VIEW named AS SELECT a FROM t;
CREATE SINK k FROM v WITH (connector = 'kafka', topic = 'out');
CREATE SINK IF NOT EXISTS k AS SELECT a, b FROM v WHERE a > 1 WITH (connector = 'http', url = 'http://localhost:1/x', 'header.Authorization' = 'Bearer x');
CREATE OR REPLACE SINK s.k FROM s.v WITH (connector='kafka', topic='x') FORMAT UPSERT ENCODE JSON;
CREATE SINK k AS SELECT * FROM v;
CREATE SINK k INTO s.t FROM v WITH (on_error = 'skip');
CREATE SINK k INTO t (b, a) AS SELECT a, b FROM v;

-- other objects
CREATE CONNECTION c WITH (type = 'kafka', properties.bootstrap.server = 'localhost:9092');
CREATE SECRET IF NOT EXISTS s WITH (backend = 'env', name = 'TOKEN');
CREATE SECRET s AS 'hunter2';
CREATE TYPE address AS STRUCT<street STRING, zip INTEGER>;
CREATE TYPE IF NOT EXISTS money AS numeric(12, 2);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE shop.place AS (street text, zip integer[], "At" shop.mood);
CREATE DOMAIN shop.posint AS integer DEFAULT 1 + 1 NOT NULL CONSTRAINT positive CHECK (VALUE > 0) CHECK (VALUE <> 7);
CREATE DOMAIN code varchar(3);
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'ok';
ALTER TYPE mood ADD VALUE 'x';
ALTER TYPE mood RENAME VALUE 'sad' TO 'low';
ALTER TYPE shop.mood RENAME TO feeling;
ALTER TYPE mood SET SCHEMA shop;
ALTER TYPE mood OWNER TO somebody;
CREATE FUNCTION half(x double precision) RETURNS double precision LANGUAGE javascript IMMUTABLE AS $$ return x / 2; $$;
CREATE OR REPLACE FUNCTION split_words(line text) RETURNS TABLE (word text, length int) LANGUAGE javascript AS 'return [];';
CREATE AGGREGATE longest(value text) RETURNS text LANGUAGE javascript AS $$ return {}; $$;
CREATE INDEX by_user ON counts (user_id, n DESC);
CREATE SCHEMA shop;

-- window table functions
SELECT * FROM TUMBLE(bids, ts, INTERVAL '10' MINUTES);
SELECT k, count(*) FROM s GROUP BY k EMIT EVERY INTERVAL '10 s' AND AFTER WATERMARK;
SELECT k, count(*) FROM s GROUP BY k EMIT AFTER WATERMARK;
SELECT HOP_START(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), count(*) FROM bids GROUP BY HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), auction;
SELECT * FROM TUMBLE(s.bids AS b, b.ts, INTERVAL '1 hour', INTERVAL '5 minutes') AS w;
SELECT * FROM HOP(bids, ts, INTERVAL '5' MINUTE, INTERVAL '10' MINUTE), CUMULATE(bids, ts, INTERVAL '1' HOUR, INTERVAL '1' DAY) c, SESSION(bids, ts, INTERVAL '30' SECOND) s;
SELECT * FROM TUMBLE((SELECT * FROM bids WHERE price > 10), ts, INTERVAL '1' MINUTE) AS w (a, b);
SELECT window_start, SUM(price) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' MINUTES)) GROUP BY window_start, window_end;
SELECT * FROM TABLE(HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' MINUTES, SIZE => INTERVAL '10' MINUTES)) AS h;
SELECT * FROM TABLE(HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' MINUTES, SLIDE => INTERVAL '5' MINUTES));
SELECT * FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' MINUTES, INTERVAL '10' MINUTES));
SELECT * FROM TUMBLE(bids, ts, INTERVAL '1' DAY, timezone => 'Europe/Berlin') w;
SELECT * FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' DAY, INTERVAL '7' DAYS, timezone => 'Asia/Tokyo'));
SELECT * FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '5' MINUTES));
SELECT * FROM SESSION(TABLE bids PARTITION BY (bidder, auction), ts, INTERVAL '5' MINUTES) x;
SELECT * FROM a, LATERAL TABLE(split(a.line)) AS w (word), TABLE(generate_series(1, 3)) g;

-- joins
SELECT * FROM orders o JOIN payments p WITHIN 7 DAYS GRACE PERIOD 1 DAY ON o.id = p.id EMIT CHANGES;
SELECT * FROM orders o LEFT JOIN payments p WITHIN (1 HOUR, 2 HOURS) ON o.id = p.id EMIT CHANGES;
SELECT * FROM orders o FULL OUTER JOIN shipments WITHIN INTERVAL '1' HOUR ON o.id = shipments.id;
SELECT * FROM orders AS o JOIN rates FOR SYSTEM_TIME AS OF o.order_time AS r ON o.currency = r.currency;
SELECT * FROM orders o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.proctime ON o.currency = rates.currency;
SELECT * FROM trades ASOF JOIN quotes ON trades.s = quotes.s AND trades.t >= quotes.t;
SELECT * FROM trades t ASOF LEFT JOIN quotes q USING (s, t);
SELECT * FROM a SEMI JOIN b ON a.x = b.x;
SELECT * FROM a x LEFT ANTI JOIN b y ON x.k = y.k;
SELECT * FROM a ANTI JOIN (b JOIN c ON b.k = c.k) ON a.k = b.k;

-- queries
SELECT * FROM s EMIT CHANGES;
SELECT * FROM s EMIT CHANGES LIMIT 3;
SELECT a FROM s WHERE a > 1 EMIT CHANGES;
SELECT a EMIT CHANGES;
SELECT * FROM s emit EMIT CHANGES;
SELECT * FROM s ORDER BY a LIMIT 3 EMIT EVERY 5 SECONDS;
SELECT a, row_number() OVER (PARTITION BY b ORDER BY c DESC) AS n FROM t QUALIFY n <= 3;
SELECT a FROM t AS q WHERE a > 1 QUALIFY row_number() OVER (ORDER BY a) = 1 ORDER BY a;
SELECT TRY_CAST(a AS int), first_value(a) IGNORE NULLS OVER (ORDER BY b), lag(a) RESPECT NULLS OVER w FROM t WINDOW w AS (ORDER BY b);
SELECT TRANSFORM(arr, x => x + 1), REDUCE(arr, 0, (s, x) => s + x), FILTER_MAP(m, (k, v) => v > 1);
SELECT SPLIT(a, ',')[1], f(a).b, ARRAY[1, 2][1], MAP('a' := 1, 'b' := 2), STRUCT(x := 1, y := 'z'), j -> 'a' ->> 'b', o->address->street;
SELECT `weird ``name`, `select` FROM `my table`;
SELECT CAST(a AS STRING), CAST(b AS ARRAY<MAP<STRING, ARRAY<INT>>>), CAST(c AS STRUCT<x INT, y STRUCT<z STRING>>), CAST(d AS TIMESTAMP(3) WITH LOCAL TIME ZONE), CAST(e AS DOUBLE), CAST(f AS ROW(a INT, b STRING));

-- match_recognize
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES FIRST(down.price) AS bottom, LAST(up.price) AS top ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (strt down+ up*?) DEFINE down AS down.price < PREV(down.price), up AS up.price > PREV(up.price)) AS m WHERE m.top > 10;
SELECT * FROM ticks t MATCH_RECOGNIZE (ORDER BY ts MEASURES a.x AS x, CLASSIFIER() AS c ALL ROWS PER MATCH SHOW EMPTY MATCHES AFTER MATCH SKIP TO NEXT ROW PATTERN ((a | b){2,3} (c d)? {- e+ -} ^ f{4} g{5,} h{,6}?) WITHIN INTERVAL '1' HOUR SUBSET u = (a, b) DEFINE a AS a.x > 1);
SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES FINAL last(a.x, 2) AS l, RUNNING sum(a.x) - FINAL count(*) AS s, PREV(RUNNING first(x), 1) AS p, count(a.*) AS n PATTERN (a) DEFINE a AS true);
SELECT * FROM logins MATCH_RECOGNIZE (PARTITION BY ip ORDER BY ts ALL ROWS PER MATCH WITH UNMATCHED ROWS AFTER MATCH SKIP TO FIRST b PATTERN (a+|b|()) WITHIN 5 MINUTES DEFINE a AS a.ok = false);
SELECT * FROM (SELECT * FROM x) MATCH_RECOGNIZE (ORDER BY ts ALL ROWS PER MATCH OMIT EMPTY MATCHES AFTER MATCH SKIP TO LAST b PATTERN (PERMUTE(a, b c, d | e)) DEFINE a AS true);
SELECT * FROM x MATCH_RECOGNIZE (ORDER BY ts AFTER MATCH SKIP TO b PATTERN (a{1}? b?? c*?d+?) DEFINE a AS true) JOIN y ON true;

-- subscriptions, SHOW and friends
SUBSCRIBE v;
SUBSCRIBE TO s.v WITH (snapshot = false, from_version = 12);
SUBSCRIBE (SELECT a FROM v WHERE a > 1);
SUBSCRIBE TO (SELECT a FROM v) WITH (progress);
SHOW STREAMS;
SHOW TABLES EXTENDED;
SHOW MATERIALIZED VIEWS LIKE 'a%';
LIST TOPICS;
SHOW ALL TOPICS;
SHOW QUERIES;
SHOW CREATE MATERIALIZED VIEW s.v;
SHOW CREATE TABLE t;
SHOW COLUMNS FROM t;
SHOW FUNCTIONS LIKE 'to_%' EXTENDED;
DESCRIBE v;
DESCRIBE EXTENDED v;
DESCRIBE v EXTENDED;
DESCRIBE FUNCTION lower;
DESCRIBE MATERIALIZED VIEW s.v;
DESC t;
EXPLAIN v;
EXPLAIN CREATE MATERIALIZED VIEW v AS SELECT a, count(*) FROM t GROUP BY a;
EXPLAIN ANALYZE v;
EXPLAIN (types, costs false) SELECT a FROM t;
EXPLAIN PLAN FOR SELECT a FROM t;
EXPLAIN CREATE STREAM x AS SELECT * FROM y EMIT CHANGES;
PRINT 'my-topic' FROM BEGINNING LIMIT 5;
PRINT topic;
PAUSE v;
RESUME MATERIALIZED VIEW v;
PAUSE QUERY ctas_x_3;
PAUSE ALL;
TERMINATE csas_y_0;
TERMINATE ALL;
FLUSH;
DROP STREAM s;
DROP STREAM IF EXISTS s DELETE TOPIC;
DROP TABLE a, b CASCADE;
DROP MATERIALIZED VIEW IF EXISTS v CASCADE;
DROP SINK k;
DROP SOURCE s CASCADE;
DROP CONNECTION c;
DROP SECRET s;
DROP TYPE IF EXISTS address;
DROP DOMAIN IF EXISTS shop.posint, code CASCADE;
DROP FUNCTION half;
ALTER STREAM s ADD COLUMN c INT, ADD COLUMN d STRING;
ALTER TABLE t SET ('connector.offset' = 'latest', parallelism = 4);
ALTER TABLE t RESET ('connector.offset');
ALTER MATERIALIZED VIEW v RENAME TO w;
ALTER SINK k SET (parallelism = 2);
ALTER SYSTEM 'ksql.x' = 'y';
ALTER SOURCE s ADD COLUMN x int;
SET 'auto.offset.reset' = 'earliest';
UNSET 'auto.offset.reset';
SET streaming_parallelism TO 4;
INSERT INTO s (id, v) VALUES (1, 'a'), (2, NULL);
INSERT INTO s SELECT a, b FROM t EMIT CHANGES;
SELECT t.* EXCEPT (a, t.b), * EXCEPT (c) FROM t, u;
INSERT INTO s SELECT a FROM TUMBLE(t, ts, INTERVAL '1' HOUR);
CREATE STREAM s (a int) ON ERROR SKIP
CREATE STREAM s (a int) WITH (kafka_topic = 't') ON ERROR FAIL
CREATE STREAM s (a int) ON ERROR DLQ 'dead-letters' WITH (kafka_topic = 't')
ALTER STREAM s SKIP RECORD
ALTER STREAM s DROP CONSTRAINT IF EXISTS s_a_check
ALTER STREAM s SET (on_error = 'fail')
REPLAY ERRORS
REPLAY ERRORS FROM s WHERE sqlstate = '22P02' AND "offset" > 10
