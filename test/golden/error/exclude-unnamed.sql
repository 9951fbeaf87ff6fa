CREATE TABLE t (during tsrange, EXCLUDE USING gist (during WITH &&))
