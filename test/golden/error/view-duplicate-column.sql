CREATE MATERIALIZED VIEW v AS SELECT a.id, b.id FROM auction a, person b
