CREATE STREAM s (a int) WITH (topic = 'x', topic = 'y')
