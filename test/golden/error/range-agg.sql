SELECT range_agg(int4range(1, 2))
