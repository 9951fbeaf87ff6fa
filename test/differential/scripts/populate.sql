-- Rows of a type from documents, and whether a text is the input of a type.
CREATE TYPE pair AS (a int, b text);
SELECT jsonb_populate_record(NULL::pair, '{"a": 1, "b": "x", "c": 2}');
SELECT (jsonb_populate_record(NULL::pair, '{"a": 1}')).*;
SELECT (json_populate_record(ROW(7, 'y')::pair, '{"a": 1}')).b;
SELECT jsonb_populate_record(ROW(7, 'y')::pair, '{"b": null}'), jsonb_populate_record(ROW(7, 'y')::pair, NULL);
SELECT jsonb_populate_record(NULL::pair, '{"a": "zz"}');
SELECT jsonb_populate_record(NULL::pair, '[1]');
SELECT pg_input_is_valid('1', 'integer'), pg_input_is_valid('x', 'int4') AS b, pg_input_is_valid('2020-01-01', 'date') AS c, pg_input_is_valid('abcd', 'varchar(3)') AS d, pg_input_is_valid(NULL, 'int') AS e, pg_input_is_valid('now', 'timestamp') AS f;
SELECT pg_input_is_valid('1', 'nosuch');
SELECT pg_input_is_valid('{1,2}', 'int[]'), pg_input_is_valid('{1,x}', 'int[]') AS y;
