SELECT price FROM bid WHERE price > ALL (SELECT reserve FROM auction)
