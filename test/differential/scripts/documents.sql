CREATE TABLE doc (id int PRIMARY KEY, j jsonb);
INSERT INTO doc VALUES (1, '{"a": 1, "b": {"c": [1, 2, {"d": "x"}]}, "n": null}'), (2, '[1, "two", 3.50, true]'), (3, '"text"'), (4, 'null'), (5, NULL), (6, '{"a": "1", "z": 10000000000000000000000.10, "a": 2}');
SELECT * FROM doc ORDER BY id;
SELECT id, j -> 'a', j ->> 'a', j -> 'b' -> 'c' -> 2 ->> 'd', j #> '{b,c,0}', j #>> '{b,c,2,d}', j -> 1, j -> -1 FROM doc ORDER BY id;
SELECT id FROM doc WHERE j ->> 'a' = '1' ORDER BY id;
SELECT id, jsonb_typeof(j), j IS NULL, j = 'null'::jsonb FROM doc ORDER BY id;
SELECT id, j ? 'a', j @> '{"a": 1}', '{"a": 1}'::jsonb <@ j, j ?| ARRAY['z', 'b'], j ?& ARRAY['a', 'b'] FROM doc ORDER BY id;
SELECT j || '{"new": true}' FROM doc WHERE id = 1;
SELECT j - 'a', j #- '{b,c,0}', j - ARRAY['a', 'n'] FROM doc WHERE id = 1;
SELECT j['a'], j['b']['c'][1] FROM doc WHERE id = 1;
SELECT key, value FROM doc, jsonb_each(j) WHERE id = 1 ORDER BY key;
SELECT key, value FROM doc, jsonb_each_text(j) WHERE id = 1 ORDER BY key;
SELECT value FROM doc, jsonb_array_elements(j) WHERE id = 2;
SELECT value, ordinality FROM doc, jsonb_array_elements_text(j) WITH ORDINALITY WHERE id = 2 ORDER BY 2;
SELECT k FROM doc, jsonb_object_keys(j) AS k WHERE id = 1 ORDER BY k;
SELECT jsonb_build_object('a', 1, 'b', ARRAY[1, 2], 'c', NULL, 'd', 1.50, 'e', true, 'f', date '2024-01-01'), jsonb_build_array(1, 'x', NULL), to_jsonb(ROW(1, 'x')), to_jsonb('x'::text), row_to_json(ROW(1, 'a'));
SELECT jsonb_set('{"a": {"b": 1}}', '{a,b}', '2'), jsonb_insert('[1, 2]', '{1}', '"x"'), jsonb_strip_nulls('{"a": null, "b": 1}'), jsonb_pretty('{"a": [1]}'), jsonb_array_length('[1, 2, 3]');
SELECT (j ->> 'a')::int + 1, (j -> 'a')::int FROM doc WHERE id = 1;
SELECT (j -> 'b')::int FROM doc WHERE id = 1;
SELECT j::text, j::json FROM doc WHERE id = 6;
SELECT '{"a": 1}'::jsonb = '{"a": 1.0}'::jsonb, '[1, 2]'::jsonb < '[1, 3]'::jsonb, '{"b": 1, "a": 2}'::jsonb;
SELECT '{bad}'::jsonb;
SELECT jsonb_array_length('{}');
-- differs: the JSON path language is not there
SELECT jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)');
-- differs: the JSON path language is not there
SELECT jsonb_path_exists('{"a": 1}', '$.a'), jsonb_path_query_array('{"a": [1, 2]}', '$.a[*]');
SELECT '{"a":  1}'::json, '{"a":  1}'::json -> 'a', json_build_object('k', 1), json_array_length('[1,2]');
SELECT jsonb_agg(j -> 'a') FROM doc;
-- differs: sorting by jsonb is refused
SELECT id, j FROM doc ORDER BY j, id;
SELECT j, count(*) FROM doc GROUP BY j;
SELECT * FROM jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2}]') AS t(a int, b text);
SELECT * FROM jsonb_to_record('{"a": 1, "b": "x"}') AS t(a int, b text);
UPDATE doc SET j = jsonb_set(j, '{a}', '5') WHERE id = 1 RETURNING j -> 'a';
UPDATE doc SET j = j || '{"k": [1]}' WHERE id = 1 RETURNING j ->> 'k';
