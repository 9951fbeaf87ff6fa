DELETE FROM account WHERE balance IS NULL
