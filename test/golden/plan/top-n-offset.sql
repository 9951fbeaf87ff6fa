SELECT price FROM (SELECT price, row_number() OVER (ORDER BY price) AS rn FROM bid) x WHERE rn BETWEEN 11 AND 20
