SELECT DISTINCT channel FROM bid WHERE price > 3 ORDER BY channel
