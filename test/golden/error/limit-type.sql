SELECT auction FROM bid LIMIT 'x'
