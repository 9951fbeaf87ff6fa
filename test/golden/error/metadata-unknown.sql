CREATE STREAM s (a int, t timestamptz METADATA FROM 'timestmp')
