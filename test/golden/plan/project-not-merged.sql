SELECT a, a AS b FROM (SELECT upper(channel) AS a FROM bid) x
