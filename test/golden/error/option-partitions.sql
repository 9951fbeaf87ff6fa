CREATE STREAM s (a int) WITH (topic = 'x', partitions = 'many')
