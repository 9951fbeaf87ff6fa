SELECT '[5,1)'::int4range
