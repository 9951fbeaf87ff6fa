SELECT 1::numeric(0)
