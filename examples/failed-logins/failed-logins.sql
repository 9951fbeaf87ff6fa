-- Every attempt to log in. Records come up to 10 seconds out of order.
CREATE STREAM logins (
  ip      text,
  account text,
  success boolean,
  at      timestamptz,
  WATERMARK FOR at AS at - INTERVAL '10 seconds'
) WITH (kafka_topic = 'logins', value_format = 'json', partitions = 4, idle_timeout = '2 s');

-- As a pattern: more than five failed logins of one address within a minute are a burst. It is over, and told once, when
-- event time has passed that minute, so this feeds a topic. A burst that goes on is told again for the next minute.
CREATE STREAM fraud_alerts WITH (kafka_topic = 'fraud-alerts', value_format = 'json') AS
SELECT ip, first_at, last_at, failures, accounts
FROM (SELECT * FROM logins WHERE NOT success) MATCH_RECOGNIZE (
  PARTITION BY ip
  ORDER BY at
  MEASURES FIRST(failed.at) AS first_at,
           LAST(failed.at) AS last_at,
           count(failed.*) AS failures,
           count(DISTINCT failed.account) AS accounts
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (failed{6,}) WITHIN INTERVAL '1' MINUTE
  DEFINE failed AS true
);

-- As a sliding count: the row with which the count of the last minute goes above five, unless the row before is still
-- of the same burst. This one is there at once, and corrected when an older record comes late. Rows of one time have one
-- count, so that they are told once.
CREATE MATERIALIZED VIEW hot_addresses AS
SELECT ip, at, recent AS failures
FROM (SELECT ip, at, recent, lag(recent) OVER own AS before, lag(at) OVER own AS before_at
      FROM (SELECT ip, at, count(*) OVER (PARTITION BY ip ORDER BY at
                                          RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS recent
            FROM logins WHERE NOT success) AS counted
      WINDOW own AS (PARTITION BY ip ORDER BY at)) AS compared
WHERE recent > 5 AND (before_at IS NULL OR before <= 5 OR before_at < at - INTERVAL '1' MINUTE);
