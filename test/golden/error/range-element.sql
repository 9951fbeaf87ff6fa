SELECT int8range(1, 10) @> 5
