UPDATE account SET owner = 'a', owner = 'b'
