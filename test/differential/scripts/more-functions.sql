SELECT normalize('é', NFD) = 'é', 'é' IS NORMALIZED, 'é' IS NOT NFD NORMALIZED, unistr('\0061'), casefold('ABC');
SELECT (date '2024-01-01', interval '10 days') OVERLAPS (date '2024-01-05', interval '1 day'), (time '10:00', interval '1 hour') OVERLAPS (time '11:00', time '12:00'), (timestamptz '2024-01-01 00:00Z', NULL::interval) OVERLAPS (timestamptz '2024-01-05 00:00Z', interval '1 day');
SELECT sind(30), cosd(60), tand(45), gamma(5), erf(0), parse_ident('a."B"'), date_add('2024-03-30 12:00+00'::timestamptz, '1 day', 'Europe/Berlin');
SELECT is_normalized('é'), random_normal(mean => 0, stddev => 0), uuid_extract_timestamp('0195f3a4-0000-7000-8000-000000000000');
SELECT current_schema::text, current_schema()::text, current_schemas(false)::text[], current_setting('search_path'), current_setting('no.such', true), getdatabaseencoding()::text, current_database() = current_catalog, current_user = session_user, version() LIKE 'PostgreSQL %';
SELECT current_setting('no.such');
SELECT '\x6162'::bytea LIKE '\x61%'::bytea, overlay('\x010203'::bytea PLACING '\xff'::bytea FROM 2 FOR 1), 'abc' LIKE 'a%';
