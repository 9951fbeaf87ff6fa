-- Whole rows of sides of outer joins that may have none.
CREATE TABLE wr_owner (id integer PRIMARY KEY, name text);
CREATE TABLE wr_pet (id integer PRIMARY KEY, owner integer, name text);
CREATE TABLE wr_note (owner integer, body text);
INSERT INTO wr_owner VALUES (1, 'ada'), (2, 'bob'), (3, 'cem');
INSERT INTO wr_pet VALUES (10, 1, 'tom'), (11, 1, NULL), (12, 2, 'rex'), (13, 9, 'stray');
INSERT INTO wr_note VALUES (1, 'tom'), (2, NULL);
SELECT o.id, p::text FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id ORDER BY 1, p.id;
SELECT o.id, json_agg(p ORDER BY p.id) FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id GROUP BY o.id ORDER BY 1;
SELECT o.id, count(p) AS pets, count(p.*) AS pets2, count(*) AS pairs FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id GROUP BY o.id ORDER BY 1;
SELECT o.id, row_to_json(p), to_jsonb(p.*) FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id ORDER BY 1, p.id;
SELECT o.id, p IS NULL AS a, p IS NOT NULL AS b, p = p AS c FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id ORDER BY 1, p.id;
SELECT o::text, p.id FROM wr_owner o RIGHT JOIN wr_pet p ON p.owner = o.id ORDER BY 2;
SELECT o::text, p::text FROM wr_owner o FULL JOIN wr_pet p ON p.owner = o.id ORDER BY o.id, p.id;
SELECT o.id, n::text FROM wr_owner o LEFT JOIN wr_note n ON n.owner = o.id ORDER BY 1;
SELECT o.id, (p).name, (p).* FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id ORDER BY 1, 3;
SELECT o.id, p::text, n::text FROM wr_owner o LEFT JOIN (wr_pet p LEFT JOIN wr_note n ON n.body = p.name) ON p.owner = o.id ORDER BY 1, p.id;
SELECT o.id, s::text FROM wr_owner o LEFT JOIN LATERAL (SELECT name, owner + 1 AS next FROM wr_pet WHERE owner = o.id) s ON true ORDER BY 1, s.name;
SELECT o.id, (SELECT count(*) FROM wr_note n WHERE p IS NOT NULL) FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id ORDER BY 1, p.id;
SELECT o.id FROM wr_owner o LEFT JOIN wr_pet p ON p.owner = o.id WHERE p IN (SELECT x FROM wr_pet x WHERE x.id < 12);
SELECT row_to_json(p, true), row_to_json(p, false), row_to_json(p, NULL::boolean) FROM wr_pet p ORDER BY id;
SELECT array_to_json(ARRAY[1, NULL, 3], true), array_to_json(ARRAY[[1, 2], [3, 4]], true), array_to_json('{}'::text[], true);
-- Words that change nothing here.
CREATE UNLOGGED TABLE wr_fast (id integer, name text COLLATE "C" NOT NULL, code varchar(3) COLLATE pg_catalog."default" DEFAULT 'x');
INSERT INTO wr_fast VALUES (1, 'b'), (2, 'B') RETURNING *;
SELECT name FROM wr_fast ORDER BY name;
CREATE TABLE wr_bad (name text COLLATE nosuch);
CREATE TABLE wr_bad (a integer, b integer GENERATED ALWAYS AS (b + 1) STORED);
CREATE TABLE wr_bad (a integer, b double precision GENERATED ALWAYS AS (random()) STORED);
