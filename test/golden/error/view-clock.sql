CREATE MATERIALIZED VIEW v AS
SELECT auction FROM bid WHERE date_time = localtimestamp - interval '1 hour'
