SELECT array_agg(NULL)
