SELECT price::numeric(10,2), '5'::int, name::varchar(3), TRY_CAST(city AS int) FROM bid, person
