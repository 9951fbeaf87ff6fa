UPDATE account SET nothing = 1
