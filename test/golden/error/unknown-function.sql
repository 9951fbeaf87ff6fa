SELECT lowr(name) FROM person
