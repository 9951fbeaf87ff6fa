-- Readings as the devices write them to the topic sensor-data. The topic is created when it is not there.
CREATE STREAM sensor_data (
  sensor_id integer,
  "timestamp" bigint,
  value double precision
) WITH (kafka_topic = 'sensor-data', value_format = 'json', partitions = 4);

-- High readings, scaled, into the topic processed-data; a sensor's rows stay in order because they share a key.
CREATE STREAM processed_data
WITH (kafka_topic = 'processed-data', value_format = 'json', key_format = 'json', partitions = 4) AS
SELECT sensor_id, "timestamp", value * 1.1 AS processed_value
FROM sensor_data
WHERE value > 50
PARTITION BY sensor_id;

-- What the people who run it look at: SELECT * FROM sensor_load, or GET /v1/views/sensor_load.
CREATE MATERIALIZED VIEW sensor_load AS
SELECT sensor_id,
       count(*) AS readings,
       count(*) FILTER (WHERE value > 50) AS high,
       max(value) AS highest
FROM sensor_data
GROUP BY sensor_id;

-- How much there was to do, minute by minute of the devices' time.
CREATE MATERIALIZED VIEW high_per_minute AS
SELECT date_trunc('minute', to_timestamp("timestamp")) AS minute,
       count(*) AS readings,
       count(*) FILTER (WHERE value > 50) AS high
FROM sensor_data
GROUP BY 1;
