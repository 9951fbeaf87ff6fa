-- Schemas, search_path, and what the system catalogs say.

CREATE SCHEMA shop;
CREATE SCHEMA shop;
CREATE SCHEMA IF NOT EXISTS shop;
-- differs: PGlite lets its superuser
CREATE SCHEMA pg_mine;
CREATE TABLE shop.item (id integer PRIMARY KEY, name varchar(20) NOT NULL, price numeric(8, 2), tags text[]);
CREATE TABLE item (id integer PRIMARY KEY, other text);
CREATE TABLE nowhere.item (id integer);
INSERT INTO shop.item VALUES (1, 'a', 1.5, '{x}'), (2, 'b', 2, NULL);
INSERT INTO item VALUES (1, 'public'), (3, 'three');
INSERT INTO public.item VALUES (4, 'four') RETURNING item.id;
INSERT INTO shop.item VALUES (1, 'again', 1, NULL);
SELECT * FROM shop.item ORDER BY id;
SELECT * FROM public.item ORDER BY id;
SELECT item.id, shop.item.name, item.* FROM shop.item ORDER BY shop.item.id;
SELECT s.id, p.other FROM shop.item s LEFT JOIN public.item p ON p.id = s.id ORDER BY 1;
SELECT public.item.id FROM shop.item;
SELECT shop.item.* FROM shop.item WHERE shop.item.price > 1.6;
UPDATE shop.item SET price = price + 1 WHERE shop.item.id = 1 RETURNING item.price;
DELETE FROM shop.item WHERE item.id = 2;
SELECT count(*) FROM nowhere.item;
SELECT count(*) FROM shop.nothing;

SET search_path = shop, public;
SHOW search_path;
SELECT * FROM item ORDER BY id;
CREATE TABLE fresh (a integer);
CREATE VIEW names AS SELECT name FROM item;
INSERT INTO fresh VALUES (7);
SET search_path = public;
SELECT * FROM fresh;
SELECT * FROM shop.fresh;
SELECT * FROM shop.names;
SET search_path TO nowhere;
SELECT * FROM item;
CREATE TABLE x (a integer);
SET search_path TO nowhere, shop;
SELECT * FROM fresh;
RESET search_path;

SELECT table_schema::text, table_name::text, table_type::text FROM information_schema.tables WHERE table_schema IN ('shop', 'public') AND table_name IN ('item', 'fresh', 'names') ORDER BY 1, 2;
SELECT column_name::text, ordinal_position, is_nullable::text, data_type::text, character_maximum_length, numeric_precision, numeric_scale, udt_name::text FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'item' AND column_name <> 'id' ORDER BY ordinal_position;
SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'item' ORDER BY ordinal_position;
SELECT schema_name::text FROM information_schema.schemata WHERE schema_name IN ('shop', 'public', 'pg_catalog', 'information_schema') ORDER BY 1;
SELECT schemaname::text, tablename::text FROM pg_tables WHERE schemaname IN ('shop', 'public') AND tablename IN ('item', 'fresh') ORDER BY 1, 2;
SELECT schemaname::text, viewname::text FROM pg_catalog.pg_views WHERE schemaname = 'shop';
SELECT n.nspname::text, c.relname::text, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'shop' AND c.relkind IN ('r', 'v') ORDER BY 1, 2;
SELECT a.attname::text, a.attnum, t.typname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid WHERE n.nspname = 'shop' AND c.relname = 'item' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
SELECT t.typname::text, e.typname::text FROM pg_type t JOIN pg_type e ON e.oid = t.typelem WHERE t.typname IN ('_int4', '_text', '_numeric', '_timestamptz') ORDER BY 1;

DROP SCHEMA shop;
DROP TABLE shop.item;
DROP VIEW shop.names;
DROP TABLE shop.item;
DROP TABLE IF EXISTS shop.item;
DROP SCHEMA nowhere;
DROP SCHEMA IF EXISTS nowhere;
DROP SCHEMA shop CASCADE;
SELECT * FROM shop.fresh;
SELECT * FROM item ORDER BY id;
DROP TABLE public.item;
