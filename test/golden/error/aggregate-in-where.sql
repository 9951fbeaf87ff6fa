SELECT auction FROM bid WHERE count(*) > 1
