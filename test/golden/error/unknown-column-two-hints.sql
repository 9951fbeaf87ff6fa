SELECT idd FROM person, auction
