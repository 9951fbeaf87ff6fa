SELECT a + 1 AS b FROM (SELECT price * 2 AS a, channel FROM bid) x WHERE a > 4
