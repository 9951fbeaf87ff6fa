SELECT '12:00+01'::timetz
