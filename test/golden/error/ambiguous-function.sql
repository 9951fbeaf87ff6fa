SELECT sum('1')
