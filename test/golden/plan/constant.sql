SELECT 1 + 2 AS three, upper('a') || 'b', now() IS NULL
