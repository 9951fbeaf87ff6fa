SELECT NOT (b AND i4 > 1), (i4 + i8) * 2, -(i4), t LIKE 'a%', i4 IN (1, 2), jb -> 'a' ->> 'b', ai[1], b IS NOT TRUE, t IS DISTINCT FROM 'x', coalesce(t, v), (i4, t) = (1, 'a'), d + 1 FROM kinds
