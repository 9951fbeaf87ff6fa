SELECT * FROM person p JOIN auction p ON true
