SELECT auction FROM bid LIMIT -1
