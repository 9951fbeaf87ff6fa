UPDATE bid SET price = 1
