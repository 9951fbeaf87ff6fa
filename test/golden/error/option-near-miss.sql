CREATE STREAM s (a int) WITH (kafka_topics = 'x')
