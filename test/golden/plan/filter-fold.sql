SELECT auction FROM bid WHERE price > 10 * 100 AND (true OR channel = 'x')
